"""What docker-compose.yml mounts, taken by a real Jaeger."""

from __future__ import annotations

import json
import urllib.request

from tests.jaeger.server import ROOT, Jaeger


def test_it_is_well_and_says_so_where_the_health_check_asks(jaeger: Jaeger) -> None:
    with urllib.request.urlopen(jaeger.health, timeout=5) as answer:
        assert json.load(answer)["status"] == "StatusOK"
    jaeger.stop()
    assert not jaeger.is_well()


def test_the_page_is_given_its_settings(jaeger: Jaeger) -> None:
    """Built with Go alone, it has a placeholder for a page, but its settings are put in there."""
    settings = json.loads((ROOT / "jaeger" / "ui.json").read_text())
    with urllib.request.urlopen(f"{jaeger.url}/search", timeout=5) as answer:
        page = answer.read().decode()
    assert json.dumps(settings["search"]["maxLookback"], separators=(",", ":")) in page


def test_it_writes_nothing_that_it_warns_of(jaeger: Jaeger) -> None:
    """No setting is unknown, deprecated or unsafe to it."""
    warned = [line for line in jaeger.process.log().splitlines() if "\twarn\t" in line]
    assert [line for line in warned if "ui assets not embedded" not in line] == []
