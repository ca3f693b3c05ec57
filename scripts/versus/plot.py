"""Small plots as SVG: a grid of panels, a column for each thing that changes."""

import math
from xml.sax.saxutils import escape

WIDTH, HEIGHT = 250, 150
LEFT, TOP, GAP, FOOT = 74, 36, 58, 68
INK, FAINT, LINE, FILL = "#24292f", "#8c959f", "#0b69c7", "#0b69c7"
FONT = "font-family=\"system-ui, 'Segoe UI', Helvetica, Arial, sans-serif\""


def grid(columns, rows):
    """One panel for each row and column; `rows` are (title, [points of each column])."""
    width = LEFT + len(columns) * (WIDTH + GAP) - GAP + 24
    height = TOP + len(rows) * (HEIGHT + FOOT) - 22
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" {FONT}>',
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
    ]
    for i, (title, of_each) in enumerate(rows):
        top = TOP + i * (HEIGHT + FOOT)
        # Panels of a row share their scale, so that they can be held against each other.
        highest = ceiling(max(y for points in of_each for _, y in points))
        for j, (column, points) in enumerate(zip(columns, of_each)):
            left = LEFT + j * (WIDTH + GAP)
            parts += panel(left, top, points, highest, title if j == 0 else None, column)
    return "\n".join([*parts, "</svg>\n"])


def panel(left, top, points, highest, title, axis):
    farthest = ceiling(max(x for x, _ in points), 1.0)

    def place(x, y):
        return left + x / farthest * WIDTH, top + HEIGHT - y / highest * HEIGHT

    parts = []
    for y in ticks(highest):
        _, at = place(0, y)
        stroke = FAINT if y == 0 else "#e6e9ec"
        parts.append(f'<path d="M{left} {at:.1f}h{WIDTH}" stroke="{stroke}" stroke-width="1"/>')
        parts.append(text(left - 8, at + 4, number(y), "end", FAINT))
    for x in ticks(farthest):
        at, _ = place(x, 0)
        parts.append(text(at, top + HEIGHT + 16, number(x), "middle", FAINT))
    if title:
        parts.append(text(left - 62, top - 14, title, "start", INK, 13, "600"))
    parts.append(text(left + WIDTH, top + HEIGHT + 31, axis, "end", INK))
    drawn = [place(x, y) for x, y in points]
    path = " L".join(f"{x:.1f} {y:.1f}" for x, y in drawn)
    parts.append(f'<path d="M{path}" fill="none" stroke="{LINE}" stroke-width="1.8" stroke-linejoin="round"/>')
    parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{FILL}"/>' for x, y in drawn]
    last_x, last_y = drawn[-1]
    parts.append(text(last_x, last_y - 8, number(points[-1][1], 3), "end", LINE, 11, "600"))
    return parts


def text(x, y, words, anchor, colour, size=11, weight="400"):
    where = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"'
    return f'<text {where} fill="{colour}" font-size="{size}" font-weight="{weight}">{escape(words)}</text>'


def step(highest):
    """A round distance between ticks, for four or so of them."""
    rough = highest / 4
    power = 10 ** math.floor(math.log10(rough))
    return next(power * factor for factor in (1, 2, 2.5, 5, 10) if power * factor >= rough * 0.999)


def ceiling(value, room=1.1):
    """The tick above the highest value, with room for its number."""
    value = max(value, 1e-9)
    return step(value) * math.ceil(value / step(value) * room - 1e-9)


def ticks(highest):
    distance = step(highest)
    return [i * distance for i in range(int(highest / distance * 1.001) + 1)]


def number(value, digits=None):
    """As people write it: 50,000, 0.05."""
    if digits is not None:
        value = float(f"{value:.{digits}g}")
    return f"{value:,.10g}" if abs(value) < 1e10 else f"{value:,.0f}"
