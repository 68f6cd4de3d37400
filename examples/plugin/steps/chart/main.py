"""Draws bars into an SVG file; carries out the step `chart.bars`."""

import json
import sys
from html import escape
from pathlib import Path

HEIGHT = 240
LINE = 24


def bars(title, values, width):
    style = Path(__file__).with_name("style.css").read_text(encoding="utf-8")
    highest = max([0.0, *values.values()]) or 1.0
    room = HEIGHT - 3 * LINE
    step = width / max(1, len(values))
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {HEIGHT}">',
        f"<style>{escape(style)}</style>",
        f'<text class="title" x="8" y="{LINE}">{escape(title)}</text>',
    ]
    for count, (name, value) in enumerate(sorted(values.items())):
        tall = max(0.0, value) / highest * room
        left = count * step + step * 0.15
        out.append(
            f'<rect x="{left:.1f}" y="{2 * LINE + room - tall:.1f}"'
            f' width="{step * 0.7:.1f}" height="{tall:.1f}"/>'
        )
        out.append(
            f'<text x="{left:.1f}" y="{HEIGHT - 8}">{escape(name)} {value:g}</text>'
        )
    out.append("</svg>\n")
    return "\n".join(out)


def main():
    request = json.load(sys.stdin.buffer)
    arguments = request["arguments"]
    picture = bars(arguments["title"], arguments["values"], arguments["width"])
    Path("bars.svg").write_text(picture, encoding="utf-8")
    print(json.dumps({"result": {"path": "bars.svg"}}))


if __name__ == "__main__":
    main()
