"""A page in headless Chromium: it renders, obeys the keyboard, and fits a phone and the dark."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from mirc.report.page.document import as_html
from tests.report.browser import browser, drawn, needs_browser, show
from tests.report.recorded import recorded

PHONE = 390


@pytest.fixture(scope="module")
def driver() -> Iterator[Chrome]:
    needs_browser()
    with browser() as found:
        yield found


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "report.html"
    path.write_text(as_html(recorded().document, version="1.2.3"), "utf-8")
    return path


def charts(driver: Chrome, plot: str) -> list[str]:
    return [each.text for each in driver.find_elements(By.CSS_SELECTOR, f"#plot-{plot} .panel h4")]


def count(driver: Chrome, selector: str) -> int:
    return len(driver.find_elements(By.CSS_SELECTOR, selector))


def console(driver: Chrome) -> list[Any]:
    log: list[Any] = driver.get_log("browser")  # type: ignore[no-untyped-call]
    return log


def ask(driver: Chrome, script: str) -> Any:
    return driver.execute_script(f"return {script}")


def test_all_plots_render_and_the_console_stays_empty(driver: Chrome, page: Path) -> None:
    show(driver, page)
    for plot in recorded().document.plots:
        assert count(driver, f"#plot-{plot.name} .panel") >= 1
        drawn_here = count(driver, f"#plot-{plot.name} svg.marks")
        empty = count(driver, f"#plot-{plot.name} .empty")
        assert drawn_here + empty == count(driver, f"#plot-{plot.name} .panel")
    assert count(driver, "svg.marks") >= 8
    assert console(driver) == []


def test_two_runs_stand_side_by_side(driver: Chrome, page: Path) -> None:
    show(driver, page)
    assert charts(driver, "occupancy")[:2] == ["toy: intent · hbm", "toy: static · hbm"]
    a, b = (
        panel.rect for panel in driver.find_elements(By.CSS_SELECTOR, "#plot-occupancy .panel")[:2]
    )
    assert a["y"] == b["y"]
    assert a["x"] + a["width"] <= b["x"]


def test_every_control_is_reached_and_used_by_the_keyboard(driver: Chrome, page: Path) -> None:
    show(driver, page)
    body = driver.find_element(By.TAG_NAME, "body")
    reached = []
    body.send_keys(Keys.TAB)
    for _ in range(4):
        reached.append(driver.switch_to.active_element.get_attribute("id"))
        driver.switch_to.active_element.send_keys(Keys.TAB)
    assert reached == ["run-a", "run-b", "window", "theme"]
    # Another machine's run in place of the second: its own machine appears beside the first.
    assert charts(driver, "total-time") == ["toy"]
    second = driver.find_element(By.ID, "run-b")
    second.send_keys("large: lru")
    drawn(driver)
    assert second.get_attribute("value") == "4"
    assert charts(driver, "total-time") == ["toy", "large"]
    assert charts(driver, "occupancy")[1] == "large: lru · hbm"
    before = driver.find_element(By.CSS_SELECTOR, "#plot-links svg").get_attribute("outerHTML")
    driver.find_element(By.ID, "window").send_keys(Keys.ARROW_DOWN)
    drawn(driver)
    after = driver.find_element(By.CSS_SELECTOR, "#plot-links svg").get_attribute("outerHTML")
    assert after != before
    assert console(driver) == []


def test_a_phone_shows_it_without_scrolling_sideways(driver: Chrome, page: Path) -> None:
    show(driver, page, width=PHONE)
    assert ask(driver, "document.documentElement.scrollWidth") == PHONE
    widths = [each.rect["width"] for each in driver.find_elements(By.CSS_SELECTOR, "svg.marks")]
    assert max(widths) <= PHONE
    assert min(widths) >= 0.8 * PHONE
    first, second = driver.find_elements(By.CSS_SELECTOR, "#plot-occupancy .panel")[:2]
    assert first.rect["y"] < second.rect["y"]  # one below the other


def test_it_follows_the_dark_mode_of_the_system_and_of_its_own_control(
    driver: Chrome, page: Path
) -> None:
    ground = "getComputedStyle(document.body).backgroundColor"
    label = "document.querySelector('#plot-total-time svg .role-axis-label text')"
    ink = f"{label}.getAttribute('fill')"
    show(driver, page, dark=True)
    dark = ask(driver, ground), ask(driver, ink)
    driver.find_element(By.ID, "theme").send_keys("light")
    drawn(driver)
    light = ask(driver, ground), ask(driver, ink)
    assert light[0] == "rgb(255, 255, 255)"
    assert dark[0] != light[0]
    assert dark[1] != light[1]
    assert console(driver) == []
