#!/usr/bin/env python3
"""Checks a report page in headless Chromium, offline: `test_report.py REPORT.html SCREENSHOTS_FOLDER`."""

import argparse
import base64
import json
import os
import pathlib
import shutil
import sys
import tempfile

# The driver is spoken to on this machine; a proxy must never come between.
os.environ["NO_PROXY"] = os.environ["no_proxy"] = "localhost,127.0.0.1"

from selenium import webdriver  # noqa: E402
from selenium.common.exceptions import TimeoutException, WebDriverException  # noqa: E402
from selenium.webdriver.chrome.service import Service  # noqa: E402
from selenium.webdriver.common.action_chains import ActionChains  # noqa: E402
from selenium.webdriver.common.by import By  # noqa: E402
from selenium.webdriver.common.keys import Keys  # noqa: E402
from selenium.webdriver.support.ui import WebDriverWait  # noqa: E402

WIDTHS = (400, 800, 1400)
MOST_BYTES = 3_000_000
# What stands in a cell without a value; such rows stay last in either order.
MISSING = "–"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
REQUIRED = "key_figures,table,line_chart,raster,bar_chart,core_map"
# Addresses that a page may contain without asking for anything.
NAMESPACES = ("http://www.w3.org/2000/svg",)


class Results:
    """Counts checks and keeps what failed."""

    def __init__(self):
        self.passed = 0
        self.failures = []

    def check(self, name, holds, detail=""):
        if holds:
            self.passed += 1
        else:
            self.failures.append(f"{name}: {detail}" if detail else name)


def start(browser, driver, profile):
    options = webdriver.ChromeOptions()
    options.binary_location = browser
    for flag in (
        "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
        "--disable-background-networking", "--disable-component-update", "--disable-sync",
        "--disable-dev-shm-usage", "--hide-scrollbars", "--force-device-scale-factor=1", f"--user-data-dir={profile}",
        "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1",
    ):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    return webdriver.Chrome(options=options, service=Service(executable_path=driver))


def resize(browser, width, height=900):
    """Sets the size of the page itself; a window cannot be made as narrow as a phone."""
    browser.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False},
    )


def colour_scheme(browser, scheme):
    browser.execute_cdp_cmd(
        "Emulation.setEmulatedMedia",
        {"features": [
            {"name": "prefers-color-scheme", "value": scheme},
            # Smooth scrolling would move elements away from under the mouse while they are tested.
            {"name": "prefers-reduced-motion", "value": "reduce"},
        ]},
    )


def screenshot(browser, folder, name):


    size = browser.execute_cdp_cmd("Page.getLayoutMetrics", {})["cssContentSize"]
    clip = {"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1}
    shot = browser.execute_cdp_cmd(
        "Page.captureScreenshot", {"format": "png", "captureBeyondViewport": True, "clip": clip}
    )
    (folder / f"{name}.png").write_bytes(base64.b64decode(shot["data"]))


def check_file(results, report):
    size = report.stat().st_size
    results.check("page is under 3 MB", size < MOST_BYTES, f"{size} bytes")
    text = report.read_text(encoding="utf-8")
    for address in NAMESPACES:
        text = text.replace(address, "")
    lowered = text.lower()
    for sign in ('src="http', "src='http", 'href="http', "url(http", "@import", "<link rel=\"stylesheet"):
        results.check(f"page does not contain {sign}", sign not in lowered)


def check_loading(results, browser, url):
    browser.get("about:blank")
    browser.get_log("performance")  # what the browser's own start page asked for is not the report's
    browser.get(url)
    try:
        WebDriverWait(browser, 20).until(
            lambda page: page.execute_script("return document.documentElement.dataset.ready") == "true"
        )
        results.check("script has run to its end", True)
    except Exception as error:  # a time-out is a failed check, the others still run
        results.check("script has run to its end", False, type(error).__name__)
    resources = browser.execute_script("return performance.getEntriesByType('resource').map(e => e.name)")
    results.check("no resources were loaded", resources == [], str(resources)[:300])
    requested = []
    for entry in browser.get_log("performance"):
        message = json.loads(entry["message"])["message"]
        if message.get("method") == "Network.requestWillBeSent":
            address = message["params"]["request"]["url"]
            if address.split("#")[0] != url and not address.startswith("data:"):
                requested.append(address)
    results.check("no requests were made", not requested, ", ".join(requested)[:300])
    title = browser.title
    heading = browser.find_element(By.TAG_NAME, "h1").text
    results.check("title is the heading", title.strip() == heading.strip(), f"{title!r} and {heading!r}")


def check_structure(results, browser, required):
    seen = browser.execute_script("""
        const box = node => { const b = node.getBoundingClientRect(); return [b.width, b.height]; };
        return {
          sections: [...document.querySelectorAll('main section')].map(s => [s.id, ...box(s)]),
          blocks: [...document.querySelectorAll('[data-block]')].map(b => [b.dataset.block, ...box(b)]),
          charts: [...document.querySelectorAll('.chart')].map(c => {
            const svg = [...c.querySelectorAll('svg')].filter(s => s.checkVisibility());
            return [c.getAttribute('aria-label') || '', svg.length, ...(svg[0] ? box(svg[0]) : [0, 0]),
                    svg[0] ? svg[0].querySelectorAll('path,polyline,rect,line,circle').length : 0];
          }),
          untitled: [...document.querySelectorAll('main section')].filter(s => !s.querySelector('h2')).length,
          headings: document.querySelectorAll('h1').length,
          links: [...document.querySelectorAll('nav a')].map(a => a.getAttribute('href'))
                   .filter(h => !document.querySelector(h)),
          captions: [...document.querySelectorAll('[data-block=table] table')].filter(t => !t.caption).length,
          repeated: [...document.querySelectorAll('[id]')].map(n => n.id)
                      .filter((id, i, all) => all.indexOf(id) !== i),
          foreign: document.querySelectorAll('script:not([nonce]), iframe, object, embed, form').length,
        };""")
    results.check("the report has sections", len(seen["sections"]) > 0)
    for name, width, height in seen["sections"]:
        results.check(f"section {name} is visible", width > 0 and height > 0, f"{width} × {height}")
    kinds = [block[0] for block in seen["blocks"]]
    for kind in required:
        results.check(f"a {kind} is on the page", kind in kinds, f"there are {sorted(set(kinds))}")
    for index, (kind, width, height) in enumerate(seen["blocks"]):
        results.check(f"block {index} ({kind}) is visible", width > 50 and height > 20, f"{width} × {height}")
    for index, (label, visible, width, height, shapes) in enumerate(seen["charts"]):
        name = f"chart {index} ({label[:40]})"
        results.check(f"{name} has one visible picture", visible == 1, f"{visible} visible")
        results.check(f"{name} has a size", width > 200 and height > 60, f"{width} × {height}")
        results.check(f"{name} has shapes", shapes > 2, f"{shapes} shapes")
        results.check(f"{name} has a description", len(label) > 10)
    results.check("every section has a heading", seen["untitled"] == 0)
    results.check("there is one main heading", seen["headings"] == 1)
    results.check("navigation leads to sections", seen["links"] == [], str(seen["links"]))
    results.check("every table has a caption", seen["captions"] == 0)
    results.check("element ids are unique", seen["repeated"] == [], str(seen["repeated"]))
    results.check("no elements came in through names", seen["foreign"] == 0)


def check_sorting(results, browser):
    """Sorts every column of every table both ways, by real clicks."""
    read = """return [...arguments[0].tBodies[0].rows].map(r => {
        const c = r.cells[arguments[1]];
        return c && c.dataset.sort !== undefined ? Number(c.dataset.sort) : (c ? c.textContent.trim() : ''); })"""
    tables = browser.find_elements(By.CSS_SELECTOR, "[data-block=table] table")
    for number, table in enumerate(tables):
        headings = table.find_elements(By.CSS_SELECTOR, "thead th")
        before = len(table.find_elements(By.CSS_SELECTOR, "tbody tr"))
        for column, heading in enumerate(headings):
            name = f"table {number}, column {column}"
            button = heading.find_element(By.TAG_NAME, "button")
            browser.execute_script("arguments[0].scrollIntoView({block: 'center', behavior: 'instant'})", button)
            button.click()
            up = browser.execute_script(read, table, column)
            results.check(f"{name} says it ascends", heading.get_attribute("aria-sort") == "ascending")
            numbers = [value for value in up if not isinstance(value, str)]
            results.check(f"{name} ascends", numbers == sorted(numbers), str(up)[:200])
            button.click()
            down = browser.execute_script(read, table, column)
            results.check(f"{name} says it descends", heading.get_attribute("aria-sort") == "descending")
            numbers = [value for value in down if not isinstance(value, str)]
            results.check(f"{name} descends", numbers == sorted(numbers, reverse=True), str(down)[:200])
            if len({str(value) for value in up if value != MISSING}) > 1:
                results.check(f"{name} changes its order", up != down)
        after = len(table.find_elements(By.CSS_SELECTOR, "tbody tr"))
        results.check(f"table {number} keeps its rows", before == after, f"{before} before, {after} after")


def tooltip_text(browser, expected=lambda text: text != ""):
    """Text of the tooltip; the browser delivers moves of the mouse with its next frame, so waits a little."""
    read = ("const t = document.getElementById('tooltip');"
            "return t.hidden || !t.checkVisibility() ? '' : t.textContent.trim()")
    try:
        WebDriverWait(browser, 3, poll_frequency=0.05).until(lambda page: expected(page.execute_script(read)))
    except TimeoutException:
        pass  # the caller's check fails with what is there
    return browser.execute_script(read)


def gone(text):
    return text == ""


def tooltip_inside(browser):
    return browser.execute_script(
        "const b = document.getElementById('tooltip').getBoundingClientRect();"
        "return b.left >= 0 && b.top >= 0 && b.right <= innerWidth + 1 && b.bottom <= innerHeight + 1"
    )


def check_core_map(results, browser):
    colours = "return [...arguments[0].querySelectorAll('.core')].map(c => getComputedStyle(c).backgroundColor)"
    for number, core_map in enumerate(browser.find_elements(By.CSS_SELECTOR, "[data-block=core_map]")):
        name = f"core map {number}"
        cores = core_map.find_elements(By.CSS_SELECTOR, ".core")
        results.check(f"{name} has cores in use", len(cores) > 0)
        if not cores:
            continue
        choices = core_map.find_elements(By.CSS_SELECTOR, ".choice label")
        results.check(f"{name} offers resources", len(choices) > 1, f"{len(choices)} choices")
        shadings = []
        for choice in choices:
            browser.execute_script("arguments[0].scrollIntoView({block: 'center', behavior: 'instant'})", choice)
            choice.click()
            shadings.append(tuple(browser.execute_script(colours, core_map)))
        results.check(f"{name} changes colours with the resource", len(set(shadings)) > 1, str(shadings)[:200])
        if choices:
            choices[0].click()
            again = tuple(browser.execute_script(colours, core_map))
            results.check(f"{name} goes back to the first colours", again == shadings[0])
        browser.execute_script("arguments[0].scrollIntoView({block: 'center', behavior: 'instant'})", cores[0])
        ActionChains(browser).move_to_element(cores[0]).perform()
        by_mouse = tooltip_text(browser)
        results.check(f"{name} shows a tooltip under the mouse", "%" in by_mouse, repr(by_mouse))
        results.check(f"{name} keeps its tooltip on the page", tooltip_inside(browser))
        ActionChains(browser).move_to_element(browser.find_element(By.TAG_NAME, "h1")).perform()
        results.check(f"{name} takes its tooltip away", tooltip_text(browser, gone) == "")
        choices[0].find_element(By.TAG_NAME, "input").send_keys(Keys.TAB)
        focused = browser.execute_script("return document.activeElement.className")
        results.check(f"{name} is reached by the tabulator key", "core" in focused, repr(focused))
        by_key = tooltip_text(browser)
        results.check(f"{name} shows a tooltip on focus", "%" in by_key, repr(by_key))
        if len(cores) > 1:
            browser.switch_to.active_element.send_keys(Keys.ARROW_RIGHT)
            moved = tooltip_text(browser, lambda text: text not in ("", by_key))
            results.check(f"{name} moves on with the arrow keys", moved not in ("", by_key), repr(moved))
        browser.switch_to.active_element.send_keys(Keys.ESCAPE)
        results.check(f"{name} hides its tooltip on escape", tooltip_text(browser, gone) == "")


def check_points(results, browser):
    points = [p for p in browser.find_elements(By.CSS_SELECTOR, ".hit") if p.is_displayed()]
    if not points:
        return
    browser.execute_script("arguments[0].scrollIntoView({block: 'center', behavior: 'instant'})", points[0])
    ActionChains(browser).move_to_element(points[0]).perform()
    results.check("a chart's point shows a tooltip", tooltip_text(browser) != "")


def check_layout(results, browser, folder):
    papers = {}
    for scheme in ("light", "dark"):
        colour_scheme(browser, scheme)
        for width in WIDTHS:
            resize(browser, width)
            browser.execute_script("document.activeElement.blur(); scrollTo({top: 0, behavior: 'instant'})")
            wide = browser.execute_script("return document.documentElement.scrollWidth")
            results.check(f"no overflow at {width} px, {scheme}", wide <= width, f"{wide} px wide")
            outside = browser.execute_script("""
                return [...document.querySelectorAll('main *, header *, footer *')].filter(n => {
                  if (!n.checkVisibility() || n.closest('.scroll, .skip, svg, .choice input')) return false;
                  const b = n.getBoundingClientRect();
                  return b.right > innerWidth + 1 && b.width > 0;
                }).slice(0, 5).map(n => n.tagName + '.' + n.className)""")
            results.check(f"nothing is cut off at {width} px, {scheme}", not outside, str(outside))
            hidden = browser.execute_script("""
                return [...document.querySelectorAll('.chart')].filter(c =>
                  [...c.querySelectorAll('svg')].filter(s => s.checkVisibility()).length !== 1).length""")
            results.check(f"every chart shows at {width} px, {scheme}", hidden == 0, f"{hidden} do not")
            screenshot(browser, folder, f"{scheme}-{width}")
        papers[scheme] = browser.execute_script(
            "const s = getComputedStyle(document.body); return [s.backgroundColor, s.color]"
        )
    results.check("light and dark differ", papers["light"] != papers["dark"], str(papers))
    light, dark = (sum(map(int, papers[s][0][4:-1].split(",")[:3])) for s in ("light", "dark"))
    results.check("light is lighter than dark", light > 600 and dark < 200, f"{light} and {dark}")


def check_errors(results, browser):
    errors = browser.execute_script("return document.documentElement.dataset.errors || ''")
    results.check("no script errors", errors == "", errors)
    severe = [entry["message"] for entry in browser.get_log("browser") if entry["level"] == "SEVERE"]
    results.check("no severe console messages", not severe, " | ".join(severe)[:400])


def find(given, names, what):
    if given:
        return given
    for name in names:
        if found := shutil.which(name):
            return found
    print(f"test_report: no {what} found (looked for {', '.join(names)}); install it or name it as an option")
    raise SystemExit(2)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("report", type=pathlib.Path)
    parser.add_argument("screenshots", type=pathlib.Path)
    parser.add_argument("--browser", default=os.environ.get("CHROMIUM"))
    parser.add_argument("--driver", default=os.environ.get("CHROMEDRIVER"))
    parser.add_argument("--require", default=REQUIRED, help="kinds of blocks that must be there")
    return parser.parse_args()


def main():
    given = arguments()
    if not given.report.is_file():
        print(f"test_report: {given.report} is not a file; make the report first")
        return 2
    browser_path = find(given.browser, BROWSERS, "Chromium")
    driver_path = find(given.driver, ("chromedriver",), "chromedriver")
    given.screenshots.mkdir(parents=True, exist_ok=True)
    results = Results()
    check_file(results, given.report)
    with tempfile.TemporaryDirectory(prefix="report-browser-") as profile:
        browser = start(browser_path, driver_path, profile)
        try:
            resize(browser, 1400)
            colour_scheme(browser, "light")
            check_loading(results, browser, given.report.resolve().as_uri())
            required = [kind for kind in given.require.split(",") if kind]
            for name, group in (
                ("structure", lambda: check_structure(results, browser, required)),
                ("sorting", lambda: check_sorting(results, browser)),
                ("core map", lambda: check_core_map(results, browser)),
                ("points", lambda: check_points(results, browser)),
                ("layout", lambda: check_layout(results, browser, given.screenshots)),
                ("errors", lambda: check_errors(results, browser)),
            ):
                try:
                    group()
                except WebDriverException as error:  # the other groups still run
                    results.check(f"{name} could be checked to the end", False, error.msg or type(error).__name__)
        finally:
            browser.quit()
    for failure in results.failures:
        print(f"FAILED  {failure}")
    print(f"{results.passed} passed, {len(results.failures)} failed")
    return 1 if results.failures else 0


if __name__ == "__main__":
    sys.exit(main())
