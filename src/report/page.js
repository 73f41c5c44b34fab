"use strict";
(() => {
  const root = document.documentElement;
  const errors = [];
  const failed = (message) => {
    errors.push(String(message));
    root.dataset.errors = errors.join("\n");
  };
  addEventListener("error", (event) => failed(event.message));
  addEventListener("unhandledrejection", (event) => failed(event.reason));

  const tooltip = document.getElementById("tooltip");
  const place = (x, y) => {
    const box = tooltip.getBoundingClientRect();
    const left = Math.max(8, Math.min(x + 14, innerWidth - box.width - 8));
    const below = y + 18 + box.height < innerHeight;
    const top = Math.max(8, below ? y + 18 : y - box.height - 12);
    tooltip.style.transform = `translate(${Math.round(left)}px, ${Math.round(top)}px)`;
  };
  const element = (kind, className, ...content) => {
    const made = document.createElement(kind);
    made.className = className;
    made.append(...content);
    return made;
  };
  // What is on a core and how much of each resource it takes.
  const card = (core) => {
    const values = core.dataset.values.split(",").slice(1);
    const resources = core.closest(".mesh").dataset.resources.split("\n");
    const made = element("div", "card", element("b", "", core.dataset.label), element("span", "place", core.dataset.place));
    for (const line of core.dataset.content.split("\n")) made.append(element("span", "content", line));
    resources.slice(0, values.length).forEach((resource, index) => {
      const share = values[index] === "" ? NaN : Number(values[index]);
      const shown = Number.isNaN(share) ? "–" : `${Math.round(share * 100)}\u00a0%`;
      const line = element("span", "line", element("span", "", resource), element("span", "", shown));
      line.classList.toggle("over", share > 1);
      const fill = element("span", "");
      fill.style.width = `${Math.max(0, Math.min(1, share || 0)) * 100}%`;
      made.append(line, element("span", "gauge", fill));
    });
    return made;
  };
  const show = (target, x, y) => {
    tooltip.replaceChildren(target.dataset.tip === undefined ? card(target) : target.dataset.tip);
    target.setAttribute("aria-describedby", "tooltip");
    tooltip.hidden = false;
    place(x, y);
  };
  const hide = () => { tooltip.hidden = true; };

  const hoverable = (node) => (node instanceof Element ? node.closest(".core, [data-tip]") : null);
  const showAtFocus = (target) => {
    const box = target.getBoundingClientRect();
    show(target, box.left, box.bottom - 8);
  };
  let pointer = [-1, -1];
  document.addEventListener("pointermove", (event) => {
    pointer = [event.clientX, event.clientY];
    const target = hoverable(event.target);
    if (target) show(target, ...pointer);
    else if (!hoverable(document.activeElement)) hide();
  });
  document.addEventListener("focusin", (event) => {
    const target = hoverable(event.target);
    if (target) showAtFocus(target);
    else hide();
  });
  document.addEventListener("focusout", hide);
  document.addEventListener("keydown", (event) => { if (event.key === "Escape") hide(); });
  // Focus may scroll the page: the tooltip then follows; under the mouse it stays only with its element.
  addEventListener("scroll", () => {
    if (tooltip.hidden) return;
    const focused = hoverable(document.activeElement);
    const under = hoverable(document.elementFromPoint(...pointer));
    if (under) show(under, ...pointer);
    else if (focused) showAtFocus(focused);
    else hide();
  }, { passive: true });

  // Tables: a click on a heading sorts, numbers by value, a second click turns the order round.
  const key = (row, column) => {
    const cell = row.cells[column];
    if (!cell || cell.textContent.trim() === "–") return null;
    return cell.dataset.sort === undefined ? cell.textContent.trim() : Number(cell.dataset.sort);
  };
  const compare = (a, b, direction) => {
    // What is missing stays last in either order.
    if (a === null || b === null) return (a === null) - (b === null);
    return direction * compareValues(a, b);
  };
  const compareValues = (a, b) => {
    const numbers = [typeof a === "number", typeof b === "number"];
    if (numbers[0] && numbers[1]) return a - b;
    if (numbers[0] !== numbers[1]) return numbers[0] ? -1 : 1;
    return a.localeCompare(b, "en", { numeric: true });
  };
  for (const table of document.querySelectorAll("[data-block=table] table")) {
    const headings = [...table.tHead.rows[0].cells];
    headings.forEach((heading, column) => {
      const button = heading.querySelector("button");
      button.disabled = false;
      button.addEventListener("click", () => {
        const up = heading.getAttribute("aria-sort") !== "ascending";
        for (const other of headings) other.setAttribute("aria-sort", "none");
        heading.setAttribute("aria-sort", up ? "ascending" : "descending");
        const rows = [...table.tBodies[0].rows];
        rows.sort((a, b) => compare(key(a, column), key(b, column), up ? 1 : -1));
        table.tBodies[0].append(...rows);
      });
    });
  }

  // Core maps: the choice of resource, and arrow keys between the cores.
  for (const map of document.querySelectorAll("[data-block=core_map]")) {
    const cores = [...map.querySelectorAll(".core")];
    const choice = map.querySelector(".choice");
    if (choice) choice.disabled = false;
    const shade = (index) => {
      for (const core of cores) {
        const value = core.dataset.values.split(",")[index];
        const share = value ? Number(value) : 0;
        core.style.setProperty("--heat", Math.max(0, Math.min(1, share)));
        core.classList.toggle("over", share > 1);
        core.querySelector(".percent").textContent = value ? Math.round(share * 100) : "";
      }
    };
    map.addEventListener("change", (event) => {
      if (event.target.type === "radio") shade(Number(event.target.value));
    });
    cores.forEach((core, index) => { core.tabIndex = index === 0 ? 0 : -1; });
    map.addEventListener("keydown", (event) => {
      const here = cores.indexOf(document.activeElement);
      const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
      if (here < 0 || !step) return;
      event.preventDefault();
      const next = cores[(here + step + cores.length) % cores.length];
      cores[here].tabIndex = -1;
      next.tabIndex = 0;
      next.focus();
    });
  }

  root.dataset.ready = "true";
})();
