"""The picture as Mermaid: text that GitHub, GitLab and many editors draw."""

from __future__ import annotations

from cli.operations.graph.model import Graph, Service


def render(graph: Graph) -> str:
    """Return a flowchart."""
    volumes = {volume: f"volume{index}" for index, volume in enumerate(_volumes(graph))}
    inner = [f"    {one.name}[{_label(one)}]" for one in graph.services]
    kept = [f"  {node}[({_quoted(volume)})]" for volume, node in volumes.items()]
    uses = [f"  {use.source} {'-.->' if use.browser else '-->'} {use.target}" for use in graph.uses]
    stored = [f"  {one.name} --- {volumes[volume]}" for one in graph.services for volume in one.keeps]
    network = f"{graph.network}{' (internal)' if graph.internal else ''}"
    lines = ["flowchart LR", f"  subgraph network[{_quoted(network)}]", *inner, "  end", *kept, *uses, *stored]
    return "\n".join(lines) + "\n"


def _volumes(graph: Graph) -> list[str]:
    return [volume for one in graph.services for volume in one.keeps]


def _label(service: Service) -> str:
    return _quoted("<br>".join([service.name, service.state, service.image, *service.ports]))


def _quoted(text: str) -> str:
    return '"' + text.replace("#", "#35;").replace('"', "#quot;") + '"'
