"""A config is read whole: what is right is in force, what is wrong is told at once with file, line, key and remedy."""

from datetime import timedelta
from pathlib import Path

import pytest

from calsync.domain.drift import Disposition, DriftKind, Phase
from calsync.errors import ConfigError, NotFoundError
from calsync.reconcile.disposition import NOT_OURS_TO_UNDO
from calsync.settings.load import load
from calsync.settings.practice import DriftRules
from tests.unit.settings.configs import ADA, ADAS_CALENDAR, PaperCalendarKeys, PaperKeys, load_text, sentences_of


def test_an_empty_config_is_the_defaults(tmp_path: Path) -> None:
    settings = load_text(tmp_path)

    assert settings.sync.mode == "act"
    assert settings.sync.poll_interval == timedelta(minutes=5)
    assert settings.drift.settle == timedelta(seconds=90)
    assert settings.claims.unlinked == "hold"
    assert settings.web.address == ("127.0.0.1", 8080)
    assert settings.providers == ()
    assert not settings.testing.clock


def test_paths_start_at_the_configs_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "etc").mkdir()
    monkeypatch.chdir("/")
    settings = load_text(tmp_path / "etc", '[database]\nurl = "sqlite:///books/x.db"\n[secrets]\nkey_file = "../k"\n')

    assert settings.database.url == f"sqlite:///{tmp_path}/etc/books/x.db"
    assert settings.secrets.key_file == tmp_path / "etc" / "../k"
    assert load_text(tmp_path / "etc").database.url == f"sqlite:///{tmp_path}/etc/calsync.db"
    assert load_text(tmp_path / "etc").secrets.key_file == tmp_path / "etc/calsync.key"


@pytest.mark.parametrize("url", ["sqlite:////var/x.db", "sqlite://", "postgresql+psycopg://u@h/n?host=/run"])
def test_absolute_urls_stay(tmp_path: Path, url: str) -> None:
    assert load_text(tmp_path, f'[database]\nurl = "{url}"').database.url == url


def test_conf_d_adds_keys_and_providers(tmp_path: Path) -> None:
    (tmp_path / "conf.d").mkdir()
    (tmp_path / "conf.d/b.toml").write_text(ADA.replace("ada", "bob"))
    (tmp_path / "conf.d/a.toml").write_text('[sync]\npoll_interval = "1m"\n[drift]\nsettle = "0s"')
    (tmp_path / "conf.d/c.toml.off").write_text("not read")
    settings = load_text(tmp_path, f"[sync]\nworkers = 2\n{ADA}")

    assert settings.sync.workers == 2
    assert settings.sync.poll_interval == timedelta(minutes=1)
    assert settings.drift.settle == timedelta(0)
    assert [provider.id for provider in settings.providers] == ["ada", "bob"]


def test_a_calendars_own_keys_go_to_its_connector(tmp_path: Path) -> None:
    text = f"{ADA}{ADAS_CALENDAR}password_file = 'p'\n[connectors.paper]\ntimeout = '3s'"
    (tmp_path / "p").touch(mode=0o600)
    settings = load_text(tmp_path, text)

    [(provider, calendar)] = settings.calendars()
    assert provider.id == "ada"
    assert (calendar.id, calendar.mode, calendar.placement) == ("ada-paper", "mirror", None)
    assert calendar.settings == PaperCalendarKeys(url="https://paper.example.org/ada/", password_file=tmp_path / "p")
    assert settings.connectors["paper"] == PaperKeys(timeout=timedelta(seconds=3))


def test_a_provider_may_be_declared_without_calendars(tmp_path: Path) -> None:
    none = 'calendars = "none"\ncalendars_reason = "paper diary"\ncalendars_since = 2026-11-01\n'
    [provider] = load_text(tmp_path, ADA + none).providers

    assert provider.declared_without_calendars
    assert provider.calendars == ()
    assert not load_text(tmp_path, ADA).providers[0].declared_without_calendars


def test_practices_decide_for_themselves(tmp_path: Path) -> None:
    settings = load_text(
        tmp_path,
        '[claims]\nunlinked = "clear"\nreview_silence = "3d"',
        practices__north='[sync]\nmode = "observe"\n[claims]\nreview_silence = "1d"\n'
        '[drift.policy]\nmoved = { upcoming = "flag" }\nretitled = "flag"\n[privacy]\ntitle = "initials"',
    )
    north = settings.practice("north")

    assert settings.mode_for("north") == "observe"
    assert settings.mode_for("default") == "act"
    assert settings.claims_for("north").review_silence == timedelta(days=1)
    assert settings.claims_for("north").unlinked == "clear"
    assert north.privacy.title == "initials"
    assert north.dispositions[DriftKind.MOVED, Phase.UPCOMING] is Disposition.FLAG
    assert north.dispositions[DriftKind.MOVED, Phase.PAST] is Disposition.FLAG
    assert north.dispositions[DriftKind.RETITLED, Phase.PAST] is Disposition.FLAG
    assert north.dispositions[DriftKind.DELETED, Phase.UPCOMING] is Disposition.REVERT
    assert len(north.dispositions) == len(DriftKind) * len(Phase)
    with pytest.raises(NotFoundError):
        settings.practice("south")


def test_a_practice_that_says_nothing_follows_the_installation(tmp_path: Path) -> None:
    settings = load_text(
        tmp_path, '[sync]\nmode = "observe"', practices__north="", practices__south='[sync]\nmode = "act"'
    )
    assert [settings.mode_for(name) for name in ("default", "north", "south")] == ["observe", "observe", "act"]


def test_every_problem_is_told_at_once_with_its_line(tmp_path: Path) -> None:
    text = """\
[sync]
poll_intervall = "5m"
workers = 0
[drift]
stampede_share = 1.5
[syn]
x = 1
[claims]
unlinked = "maybe"
"""
    assert sentences_of(tmp_path, text) == [
        'calsync.toml:2: sync.poll_intervall: is not a known key. Did you mean "poll_interval"?',
        "calsync.toml:3: sync.workers: should be greater than or equal to 1",
        "calsync.toml:5: drift.stampede_share: should be less than or equal to 1",
        'calsync.toml:6: syn: is not a known key. Did you mean "sync"?',
        'calsync.toml:9: claims.unlinked: is not one of "hold", "clear"',
    ]


def test_a_problem_in_a_list_names_the_row_and_its_line(tmp_path: Path) -> None:
    text = f"{ADA}{ADA.replace('ada', 'bob').replace('Europe/Berlin', 'Berlin')}"
    assert sentences_of(tmp_path, text) == [
        'calsync.toml:12: providers[2].zone: is not a known time zone: did you mean "Europe/Berlin"?'
    ]


def test_a_missing_key_points_at_its_table(tmp_path: Path) -> None:
    assert sentences_of(tmp_path, ADA.replace('email = "ada@example.org"\n', "")) == [
        "calsync.toml:2: providers[1].email: is missing. Add it"
    ]


@pytest.mark.parametrize("mode", ["revert", "revert-and-flag"])
def test_edits_to_past_sessions_cannot_be_written_over(tmp_path: Path, mode: str) -> None:
    found = sentences_of(tmp_path, "", practices__x=f'[drift.policy]\nmoved = {{ past = "{mode}" }}\nsplit = "{mode}"')
    assert found[0] == 'practices/x.toml:2: drift.policy.moved.past: is not one of "ignore", "flag"'
    assert [line.split(":")[1] for line in found] == ["2", "3", "3", "3"]


def test_an_unknown_kind_of_edit_names_the_nearest(tmp_path: Path) -> None:
    assert sentences_of(tmp_path, "", practices__x='[drift.policy]\nzone_changed = "flag"') == [
        'practices/x.toml:2: drift.policy.zone_changed: is not a known key. Did you mean "zone-changed"?'
    ]


def test_a_provider_needs_an_existing_practice(tmp_path: Path) -> None:
    [sentence] = sentences_of(tmp_path, f'{ADA}practice = "noth"', practices__north="")
    assert 'there is no practice "noth"' in sentence
    assert "default, north" in sentence


def test_procrastinate_needs_postgresql(tmp_path: Path) -> None:
    [sentence] = sentences_of(tmp_path, '[engine]\nkind = "procrastinate"')
    assert sentence.startswith('calsync.toml:2: engine.kind: "procrastinate" works on PostgreSQL only')


def test_what_no_write_can_undo_cannot_be_reverted(tmp_path: Path) -> None:
    text = '[drift.policy]\nunreadable = { upcoming = "revert" }\nmoved = { upcoming = "revert-and-flag" }'
    assert sentences_of(tmp_path, "", practices__x=text) == [
        'practices/x.toml:2: drift.policy.unreadable.upcoming: is not one of "ignore", "flag"'
    ]


def test_the_look_only_kinds_are_the_ones_that_deciding_knows() -> None:
    look_only = {
        (field.alias or name) for name, field in DriftRules.model_fields.items() if "LookOnly" in repr(field.annotation)
    }
    assert look_only == {kind.value for kind in NOT_OURS_TO_UNDO}
    assert {field.alias for field in DriftRules.model_fields.values()} == {kind.value for kind in DriftKind}


def test_a_password_in_the_query_of_an_address_is_refused_even_in_a_closed_file(tmp_path: Path) -> None:
    path = tmp_path / "calsync.toml"
    path.write_text('[database]\nurl = "postgresql://c@localhost/x?password=S3CRET"\n', encoding="utf-8")
    path.chmod(0o600)
    with pytest.raises(ConfigError, match="a password may not stand in a URL") as caught:
        load(path, {})
    assert "S3CRET" not in str(caught.value)
