"""The page of ``mirc simulate --report`` for docs/report.md, as headless Chromium shows it.

Compiles llama3-70b for two machines, simulates it, writes the page, and takes a picture of it with
two runs side by side: docs/figures/report.png, and one of a phone in dark mode beside it. Needs
chromium and chromedriver, and torch to compile.

Run it: ``python benchmarks/report_page.py [FILE.mir]``; with a FILE nothing is compiled.
"""

import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import Select

sys.path.insert(0, str(Path(__file__).parents[1]))  # for the browser of the tests

from tests.report.browser import browser, drawn, resize, show

FIGURES = Path(__file__).parents[1] / "docs" / "figures"
MACHINES, POLICIES, STEPS = "h100-sxm,gh200", "static,lru,belady,intent", 4
PHONE, DESK, PHONE_HEIGHT = 390, 1280, 1400


def main() -> int:
    """Write both pictures."""
    with TemporaryDirectory() as folder:
        place = Path(folder)
        file = sys.argv[1] if len(sys.argv) > 1 else str(place / "model.mir")
        if len(sys.argv) <= 1:
            mirc("compile", "preset:llama3-70b", "-M", MACHINES, "-o", file)
        page = place / "report.html"
        asked = ("-M", MACHINES, "--policy", POLICIES, "--steps", str(STEPS))
        mirc("simulate", file, *asked, "--report", str(page))
        picture(page)
    return 0


def mirc(*arguments: str) -> None:
    """Run a command of the tool that this Python has; its report is not wanted."""
    command = [sys.executable, "-m", "mirc", *arguments]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def picture(page: Path) -> None:
    """Take both pictures of a page."""
    with browser() as driver:
        show(driver, page, width=DESK)
        beside = Select(driver.find_element(By.ID, "run-b"))
        beside.select_by_visible_text("gh200: intent")
        drawn(driver)
        resize(driver, DESK, driver.execute_script("return document.body.scrollHeight"))
        driver.save_screenshot(str(FIGURES / "report.png"))
        show(driver, page, width=PHONE, dark=True)
        resize(driver, PHONE, PHONE_HEIGHT)
        driver.save_screenshot(str(FIGURES / "report-phone.png"))


if __name__ == "__main__":
    sys.exit(main())
