import subprocess
import sys

WITHOUT = "import sys; sys.modules['pygls'] = None; sys.argv = ['mirc', 'lsp']"


def test_without_pygls_the_command_says_what_to_install() -> None:
    ran = subprocess.run(
        [sys.executable, "-c", f"{WITHOUT}; from mirc.cli.main import main; main()"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 2
    assert "pip install 'mirc[lsp]'" in ran.stderr
    assert "Traceback" not in ran.stderr


def test_a_session_that_ends_without_a_goodbye_is_a_failure() -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "mirc", "lsp"], input=b"", capture_output=True, check=False
    )
    assert ran.returncode == 1
    assert b"Traceback" not in ran.stderr
