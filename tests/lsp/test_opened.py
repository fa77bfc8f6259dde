from pathlib import Path

from mirc.lsp.opened import Texts

TEXT = "mir 1.0\nobject w { class = NOTHING }\n"


def test_a_version_is_judged_once() -> None:
    texts = Texts()
    texts.put("a", "a.mir", TEXT, 1)
    opened = texts.get("a")
    assert opened is not None
    assert texts.findings(opened) is texts.findings(opened)
    texts.forget()
    assert texts.findings(opened).diagnostics


def test_settings_that_cannot_be_read_are_told_and_do_not_stop_judging(tmp_path: Path) -> None:
    (tmp_path / "mirc.toml").write_text("select = 3\n", "utf-8")
    texts = Texts()
    texts.put("a", str(tmp_path / "a.mir"), TEXT, 1)
    opened = texts.get("a")
    assert opened is not None
    assert texts.findings(opened).diagnostics
    assert len(texts.troubles) == 1


def test_a_trouble_is_told_once_until_it_changes(tmp_path: Path) -> None:
    settings = tmp_path / "mirc.toml"
    texts = Texts()

    def told(text: str | None, *names: str) -> int:
        if text is not None:
            settings.write_text(text, "utf-8")
        texts.forget()
        for name in names:
            texts.put(name, str(tmp_path / f"{name}.mir"), TEXT, 1)
            opened = texts.get(name)
            assert opened is not None
            assert texts.findings(opened).diagnostics
        count = len(texts.troubles)
        texts.troubles.clear()
        return count

    assert told("select = 3\n", "a", "a", "b") == 1
    assert told(None, "a", "b", "c") == 0
    assert told("ignore = 4\n", "a", "b") == 1
    assert told("", "a", "b", "c") == 0
    assert told("select = 3\n", "b", "a") == 1
    texts.remove("a")
    texts.remove("b")
    assert told(None, "c") == 1


def test_a_removed_text_is_gone() -> None:
    texts = Texts()
    texts.put("a", "a.mir", TEXT, 1)
    texts.remove("a")
    texts.remove("a")
    assert texts.get("a") is None
    assert texts.addresses() == ()
