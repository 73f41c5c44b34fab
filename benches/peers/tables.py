"""Tables in Markdown."""


def markdown(header, rows):
    """The lines of a table; cells are strings."""
    lines = ["| " + " | ".join(header) + " |", "|" + "---|" * len(header)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])


def number(value, digits=2):
    """A number, or a dash where there is none."""
    return "-" if value is None else f"{value:,.{digits}f}"
