"""Headless Chromium for the tests of a page, and for the picture of one in the documentation."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.support.ui import WebDriverWait

PATIENCE_S = 120  # a busy machine is no failure
_STATE = "return document.documentElement.dataset.state"


def installed() -> bool:
    """Tell whether there is a browser to be driven."""
    return all(shutil.which(name) for name in ("chromium", "chromedriver"))


def needs_browser() -> None:
    """Skip the test where there is none, unless MIRC_BROWSER=required says that there must be."""
    if not installed() and os.environ.get("MIRC_BROWSER") != "required":
        pytest.skip("there is no chromium with chromedriver")


@contextmanager
def browser() -> Iterator[Chrome]:
    """Start one that keeps what pages write to the console and has no network."""
    options = Options()
    options.binary_location = shutil.which("chromium") or "chromium"
    for argument in (
        "--headless=new",
        "--no-sandbox",  # containers run as root
        "--disable-dev-shm-usage",
        "--hide-scrollbars",
        "--host-resolver-rules=MAP * ~NOTFOUND",
    ):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = Chrome(options=options, service=Service(shutil.which("chromedriver")))
    try:
        yield driver
    finally:
        driver.quit()


def show(driver: Chrome, page: Path, *, width: int = 1280, dark: bool = False) -> None:
    """Open a page at a width and wait until all is drawn."""
    resize(driver, width, 900)
    scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme]})
    driver.get(page.as_uri())
    drawn(driver)


def resize(driver: Chrome, width: int, height: int) -> None:
    """Give the page a size in its own pixels; a narrow one is a phone's."""
    size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)


def drawn(driver: Chrome) -> None:
    """Wait until what was asked for last is on the page."""
    WebDriverWait(driver, PATIENCE_S).until(lambda each: each.execute_script(_STATE) == "ready")
