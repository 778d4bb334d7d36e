"""The picture as SVG: services in columns, from those that nobody connects to, to those that keep data."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from xml.etree import ElementTree as ET

from cli.operations.graph.model import Graph, Service

WIDTH, LINE, PADDING = 268, 18, 14
GAP_X, GAP_Y, MARGIN = 84, 28, 28
HEAD = 56
VOLUME_WIDTH, VOLUME_HEIGHT = 220, 64
_CHARACTERS = 42
"""Of the small print, in the width of a box."""

STYLE = """
svg { font-family: system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; }
.page { fill: #ffffff; } .network { fill: #f4f7fb; stroke: #9db2cc; stroke-dasharray: 6 4; }
.box { fill: #ffffff; stroke: #54708f; stroke-width: 1.5; }
.volume { fill: #fdf6e3; stroke: #9a7d2e; stroke-width: 1.5; }
text { fill: #1c2733; font-size: 12px; } .title { font-size: 18px; font-weight: 600; }
.name { font-size: 15px; font-weight: 600; } .small { font-size: 11px; fill: #44546a; }
.use { fill: none; stroke: #34516f; stroke-width: 1.6; } .browser { stroke-dasharray: 5 4; } .keep { stroke: #9a7d2e; }
.good { fill: #1a7f37; } .bad { fill: #b42318; } .waiting { fill: #9a6700; }
"""
_LIGHTS = {"healthy": "good", "starting": "waiting", "running": "waiting"}


@dataclass(frozen=True)
class Box:
    """Where something is drawn."""

    x: float
    y: float
    width: float
    height: float

    @property
    def left(self) -> tuple[float, float]:
        """The middle of its left side."""
        return self.x, self.y + self.height / 2

    @property
    def right(self) -> tuple[float, float]:
        """The middle of its right side."""
        return self.x + self.width, self.y + self.height / 2


def render(graph: Graph) -> str:
    """Return an SVG document, with a title and a description for those who don't see it."""
    boxes = place(graph)
    volumes = dict(_place_volumes(graph, boxes))
    inner = Box(
        MARGIN,
        HEAD,
        max(box.right[0] for box in boxes.values()),
        max(box.y + box.height for box in boxes.values()) + GAP_Y - HEAD,
    )
    width = max([inner.right[0], *(box.right[0] for box in volumes.values())]) + MARGIN
    root = _root(graph, width, inner.y + inner.height + MARGIN)
    _rectangle(root, inner, "network", 14)
    note = ", internal: no way out" if graph.internal else ""
    _text(root, inner.x + PADDING, inner.y + LINE + 2, f"{graph.network}{note}", "small")
    for use in graph.uses:
        _arrow(
            root, boxes[use.source], boxes[use.target], f"{use.source} to {use.target}: {use.by}", browser=use.browser
        )
    for service in graph.services:
        for volume in service.keeps:
            _line(root, boxes[service.name], volumes[volume])
        _draw_service(root, service, boxes[service.name])
    for name, box in volumes.items():
        _draw_volume(root, name, box)
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def place(graph: Graph) -> dict[str, Box]:
    """Return where each service is drawn: a column for each rank, centred."""
    columns: dict[int, list[Service]] = {}
    for service in graph.services:
        columns.setdefault(graph.ranks[service.name], []).append(service)
    heights = {rank: sum(map(_height, column)) + GAP_Y * (len(column) - 1) for rank, column in columns.items()}
    tallest = max(heights.values(), default=0)
    boxes = {}
    for rank, column in columns.items():
        y = HEAD + LINE + GAP_Y + (tallest - heights[rank]) / 2
        for service in column:
            boxes[service.name] = Box(MARGIN * 2 + 24 + rank * (WIDTH + GAP_X), y, WIDTH, _height(service))
            y += _height(service) + GAP_Y
    return boxes


def _place_volumes(graph: Graph, boxes: dict[str, Box]) -> Iterator[tuple[str, Box]]:
    x = max((box.right[0] for box in boxes.values()), default=0) + MARGIN + GAP_X
    for service in graph.services:
        box = boxes[service.name]
        for index, volume in enumerate(service.keeps):
            top = box.left[1] - VOLUME_HEIGHT / 2 + index * (VOLUME_HEIGHT + GAP_Y / 2)
            yield volume, Box(x, top, VOLUME_WIDTH, VOLUME_HEIGHT)


def _height(service: Service) -> float:
    return PADDING * 2 + LINE * (1 + len(_lines(service)))


def _lines(service: Service) -> list[str]:
    return [service.container.name, service.image, *service.ports, *(f"reads {one}" for one in service.reads)]


def _root(graph: Graph, width: float, height: float) -> ET.Element:
    size = {"width": f"{width:g}", "height": f"{height:g}", "viewBox": f"0 0 {width:g} {height:g}"}
    named = {"role": "img", "aria-labelledby": "title description"}
    root = ET.Element("svg", {"xmlns": "http://www.w3.org/2000/svg", **size, **named})
    ET.SubElement(root, "title", id="title").text = f"The environment {graph.environment}"
    ET.SubElement(root, "desc", id="description").text = describe(graph)
    ET.SubElement(root, "style").text = STYLE
    marker = ET.SubElement(
        ET.SubElement(root, "defs"),
        "marker",
        {"id": "head", "markerWidth": "9", "markerHeight": "8", "refX": "8", "refY": "4", "orient": "auto"},
    )
    ET.SubElement(marker, "path", d="M0 0 L9 4 L0 8 z", fill="#34516f")
    ET.SubElement(root, "rect", {"class": "page", "width": "100%", "height": "100%"})
    _text(root, MARGIN, 36, f"Dashtam {graph.environment}", "title")
    return root


def describe(graph: Graph) -> str:
    """Return the picture in words."""
    said = [f"In the network {graph.network}:"]
    for one in graph.services:
        where = f", published at {' and '.join(one.ports)}" if one.ports else ""
        keeps = f", keeps data in {' and '.join(one.keeps)}" if one.keeps else ""
        said.append(f"{one.name} is {one.state}{where}{keeps}.")
    said += [
        f"{use.source} {'sends browsers to' if use.browser else 'connects to'} {use.target}." for use in graph.uses
    ]
    return " ".join(said)


def _draw_service(root: ET.Element, service: Service, box: Box) -> None:
    group = ET.SubElement(root, "g")
    _rectangle(group, box, "box", 10)
    y = box.y + PADDING + 12
    _text(group, box.x + PADDING, y, service.name, "name")
    light = _LIGHTS.get(service.state, "bad")
    state = _text(group, box.right[0] - PADDING, y, service.state, light)
    state.set("text-anchor", "end")
    for index, line in enumerate(_lines(service), start=1):
        _text(group, box.x + PADDING, y + 4 + index * LINE, line, "small")


def _draw_volume(root: ET.Element, name: str, box: Box) -> None:
    group = ET.SubElement(root, "g")
    x, y, width, height, lid = box.x, box.y, box.width, box.height, 9
    side = f"M{x:g} {y + lid:g} v{height - 2 * lid:g} a{width / 2:g} {lid} 0 0 0 {width:g} 0 v-{height - 2 * lid:g}"
    ET.SubElement(group, "path", {"class": "volume", "d": side})
    middle = {"cx": f"{x + width / 2:g}", "cy": f"{y + lid:g}", "rx": f"{width / 2:g}", "ry": str(lid)}
    ET.SubElement(group, "ellipse", {"class": "volume", **middle})
    _text(group, x + width / 2, y + height / 2 + lid, name, "").set("text-anchor", "middle")


def _arrow(root: ET.Element, source: Box, target: Box, why: str, *, browser: bool) -> None:
    forward = source.x < target.x
    # In one column, or back: around the left side.
    path = _curve(source.right if forward else source.left, target.left, GAP_X / 2 if forward else -GAP_X / 2)
    kind = "use browser" if browser else "use"
    line = ET.SubElement(root, "path", {"class": kind, "d": path, "marker-end": "url(#head)"})
    ET.SubElement(line, "title").text = why


def _line(root: ET.Element, source: Box, target: Box) -> None:
    path = _curve(source.right, target.left, GAP_X / 2)
    ET.SubElement(root, "path", {"class": "use keep", "d": path})


def _curve(start: tuple[float, float], end: tuple[float, float], bend: float) -> str:
    (x, y), (to_x, to_y) = start, end
    return f"M{x:g} {y:g} C{x + bend:g} {y:g} {to_x - abs(bend):g} {to_y:g} {to_x:g} {to_y:g}"


def _rectangle(root: ET.Element, box: Box, kind: str, radius: int) -> None:
    place = {"x": f"{box.x:g}", "y": f"{box.y:g}", "width": f"{box.width:g}", "height": f"{box.height:g}"}
    ET.SubElement(root, "rect", {"class": kind, "rx": str(radius), **place})


def _text(root: ET.Element, x: float, y: float, text: str, kind: str) -> ET.Element:
    shown = text if len(text) <= _CHARACTERS else f"…{text[-(_CHARACTERS - 1) :]}"
    element = ET.SubElement(root, "text", {"class": kind, "x": f"{x:g}", "y": f"{y:g}"})
    element.text = shown
    return element
