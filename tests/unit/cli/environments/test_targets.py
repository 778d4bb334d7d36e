from __future__ import annotations

from pathlib import Path

import pytest

from cli.environments import targets


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("config:\n  dashtam:target: {kind: swarm, data_node: node1}\n", True),
        ("config:\n  dashtam:target:\n    kind: swarm\n", True),
        ("config:\n  dashtam:target: {kind: engine}  # not a swarm\n", False),
        ("config: {}\n# kind: swarm\n", False),
        ("config:\n  dashtam:target: swarm\n", False),
        ("config: [swarm\n", False),
    ],
)
def test_the_config_says_where_an_environment_runs(tmp_path: Path, text: str, expected: bool) -> None:
    (tmp_path / "Pulumi.staging.yaml").write_text(text)
    assert targets.is_swarm("staging", tmp_path) is expected
    assert targets.on_swarms(tmp_path) == (["staging"] if expected else [])


def test_an_environment_without_a_config_is_on_no_swarm(tmp_path: Path) -> None:
    assert not targets.is_swarm("staging", tmp_path)
