"""The page in a real browser, opened from disk, without a network."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.reports.browser.browser_support import FLOOD, KNOWN, NEW, STALE, TWO
from tests.reports.reports_support import UID, framed

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.reports.browser.conftest import Watched

SHOTS = Path(__file__).resolve().parents[3] / "reports"
DESKTOP = {"width": 1280, "height": 900}
PHONE = {"width": 360, "height": 740}
LOOKS = [
    pytest.param({"viewport": size, "color_scheme": scheme}, id=f"{name}-{scheme}")
    for name, size in (("desktop", DESKTOP), ("phone", PHONE))
    for scheme in ("light", "dark")
]
_CONTRAST = """
() => {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const rgb = (colour) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    return Array.from(canvas.getImageData(0, 0, 1, 1).data);
  };
  const light = ([r, g, b]) => [r, g, b].map((part) => part / 255)
    .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4))
    .reduce((sum, part, at) => sum + part * [0.2126, 0.7152, 0.0722][at], 0);
  const behind = (node) => {
    for (let at = node; at; at = at.parentElement) {
      const colour = rgb(getComputedStyle(at).backgroundColor);
      if (colour[3] === 255) return colour;
    }
    return [255, 255, 255];
  };
  const faded = (node) => {
    let opacity = 1;
    for (let at = node; at; at = at.parentElement) opacity *= Number(getComputedStyle(at).opacity);
    return opacity;
  };
  const poor = [];
  for (const node of document.querySelectorAll("body *")) {
    const own = Array.from(node.childNodes).some((child) => child.nodeType === 3 && child.data.trim());
    if (!own || !node.checkVisibility() || node.closest("script, style, .sr, .skip, svg, option")) continue;
    const back = behind(node);
    const opacity = faded(node);
    const front = rgb(getComputedStyle(node).color)
      .map((part, at) => part * opacity + back[at] * (1 - opacity));
    const [bright, dim] = [light(front), light(back)].sort((a, b) => b - a);
    const ratio = (bright + 0.05) / (dim + 0.05);
    if (ratio < 4.5) poor.push(`${ratio.toFixed(2)} ${node.className}: ${node.textContent.slice(0, 40)}`);
  }
  return poor;
}
"""


def visible(page: Page) -> list[str]:
    """The ids of the cases that are shown."""
    ids: list[str] = page.locator("details.case:visible").evaluate_all(
        "all => all.map((one) => one.id.slice(5))"
    )
    return ids


def case(page: Page, name: str) -> Any:
    return page.locator(f"#case-{name}")


def test_it_opens_and_says_what_the_run_has_shown(watched: Watched) -> None:
    page = watched.open()
    assert page.locator("h1").inner_text() == "a peer"
    assert page.locator(".outcome").inner_text() == (
        "3 new failures, 1 entry of the baseline out of date. 1 of 6 cases passed; 1 known failure besides."
    )
    assert visible(page)[:2] == [TWO, NEW]
    assert len(visible(page)) == 6


def test_verdicts_are_filtered_and_the_address_keeps_it(watched: Watched) -> None:
    page = watched.open()
    page.get_by_role("checkbox", name="warn").check()
    assert visible(page) == [FLOOD]
    page.get_by_role("checkbox", name="crash").check()
    assert visible(page) == [TWO, FLOOD]
    assert page.url.endswith("#v=warn.crash")
    assert page.locator(".shown").inner_text() == "2 of 6 cases"
    page.reload()
    assert visible(page) == [TWO, FLOOD]
    page.get_by_role("link", name="show all").click()
    assert len(visible(page)) == 6


def test_a_cell_of_the_matrix_shows_the_cases_of_its_clause(watched: Watched) -> None:
    page = watched.open()
    cell = page.locator("a.cell", has_text="02s").and_(page.locator("[href='#c=CXL-02s']"))
    assert cell.locator("b").inner_text() == "C"
    cell.press("Enter")
    assert visible(page) == [TWO]
    assert cell.get_attribute("aria-current") is not None


@pytest.mark.parametrize(
    ("control", "choice", "shown"),
    [
        ("a", "OPN", ["opn-unserved"]),
        ("r", "caller", [TWO]),
        ("q", "FLOOD title", [FLOOD]),
        ("q", "nobody", []),
    ],
)
def test_area_role_and_text(watched: Watched, control: str, choice: str, shown: list[str]) -> None:
    page = watched.open()
    field = page.locator(f".filters [name={control}]")
    if control == "q":
        field.fill(choice)
    else:
        field.select_option(choice)
    assert visible(page) == shown
    assert page.locator(".nothing").is_visible() == (not shown)


def test_filters_leave_the_page_where_it_is(watched: Watched) -> None:
    page = watched.open()
    box = page.get_by_role("checkbox", name="fail")
    box.scroll_into_view_if_needed()
    before = page.evaluate("scrollY")
    box.check()
    box.uncheck()
    assert page.evaluate("scrollY") == before


def test_a_case_is_drawn_with_its_arrows_and_the_violation_at_its_own(watched: Watched) -> None:
    page = watched.open()
    one = case(page, KNOWN)
    one.locator("summary").press("Enter")
    arrows = one.locator(".talk > li .arrow")
    arrows.first.wait_for()  # drawn when the case has opened
    assert arrows.count() == 9
    assert one.locator(".to-peer").count() == 2
    assert one.locator(".to-suite").count() == 7
    wrong = one.locator("li.wrong")
    assert wrong.count() == 1
    assert "breaks STR-03s" in wrong.locator(".flag").inner_text()
    assert one.locator(".talk > li").last.get_attribute("class") == wrong.get_attribute("class")
    assert "Known reason of str_known." in one.inner_text()
    assert "--only str-known" in one.locator(".again code").inner_text()


def test_bytes_come_at_a_click_with_the_header_apart(watched: Watched) -> None:
    page = watched.open(f"#o={KNOWN}")
    hello = case(page, KNOWN).locator("button.say").first
    assert hello.get_attribute("aria-expanded") == "false"
    hello.click()
    dump = case(page, KNOWN).locator(".hex")
    frame = framed(UID)
    assert dump.locator(".len").inner_text() == frame[:4].hex(" ")
    assert f"length: {len(frame) - 4}" in dump.inner_text()
    assert frame[4:20].hex(" ") in dump.inner_text()
    hello.click()
    assert not dump.is_visible()
    assert hello.get_attribute("aria-expanded") == "false"


def test_cut_bytes_and_folded_floods_are_counted(watched: Watched) -> None:
    page = watched.open(f"#o={FLOOD}")
    assert "… 196 more ITEM" in case(page, FLOOD).inner_text()
    page = watched.open(f"#o={TWO}")
    case(page, TWO).locator("button.say", has_text="2007 bytes that are no message").click()
    assert "… 1495 more bytes are left out" in case(page, TWO).locator(".hex").inner_text()


def test_two_connections_have_lifelines_of_their_own(watched: Watched) -> None:
    page = watched.open(f"#o={TWO}")
    one = case(page, TWO)
    starts = one.locator(".talk > li .arrow").evaluate_all("all => all.map((one) => one.style.left)")
    assert set(starts) == {"6px", "18px"}
    assert (
        one.locator(".talk > li.fence summary").inner_text()
        == "a sane exchange on a fresh connection (2 messages)"
    )
    assert "Here it failed: CXL-02s" in one.locator(".mark").inner_text()
    first = one.locator(".talk > li").nth(1)
    assert "to-suite" in (first.get_attribute("class") or ""), "in the caller role the peer speaks first"


def test_a_twin_is_one_click_away(watched: Watched) -> None:
    page = watched.open(f"#v=fail&o={NEW}")
    case(page, NEW).get_by_role("link", name=STALE).click()
    assert case(page, STALE).get_attribute("open") is not None
    assert page.evaluate("document.activeElement.closest('details').id") == f"case-{STALE}"


def test_what_a_peer_sends_stays_text(watched: Watched) -> None:
    page = watched.open(f"#o={NEW}")
    assert "</script><script>alert(1)" in case(page, NEW).locator(".talk").inner_text()
    assert "<img src=x onerror=alert(1)>" in case(page, NEW).locator(".detail").inner_text()
    assert page.locator("img").count() == 0
    assert page.locator("script").count() == 2


@pytest.mark.parametrize("watched", LOOKS, indirect=True)
def test_it_fits_and_can_be_read(watched: Watched, request: pytest.FixtureRequest) -> None:
    """No sideways scrolling, and every text has the contrast of WCAG's level AA (4.5)."""
    page = watched.open(f"#o={NEW}")
    for name in (NEW, TWO, FLOOD):
        case(page, name).evaluate("one => { one.open = true }")
        case(page, name).locator("button.say").first.click()
    page.locator("details.more, .fence details").evaluate_all(
        "all => all.forEach((one) => { one.open = true })"
    )
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.evaluate(_CONTRAST) == []
    SHOTS.mkdir(exist_ok=True)
    page.screenshot(path=SHOTS / f"page-{request.node.callspec.id}.png", full_page=True)
    page.evaluate("scrollTo(0, 0)")


def test_it_prints_on_white_without_its_controls(watched: Watched) -> None:
    page = watched.open()
    page.emulate_media(media="print", color_scheme="dark")
    assert not page.locator(".filters").is_visible()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"


@pytest.mark.parametrize("watched", [{"java_script_enabled": False}], indirect=True)
def test_without_script_all_but_the_drawings_is_there(watched: Watched) -> None:
    page = watched.open()
    assert page.locator("details.case").count() == 6
    assert not page.locator(".filters").is_visible()
    assert page.locator("noscript").count() == 1
