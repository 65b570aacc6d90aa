"""The Google connector against the stand-in, under both readings of whatever the contract sheet leaves open."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from calsync.sandbox.google.knobs import Exceptions, Knobs
from calsync.sandbox.google.server import Sandbox
from calsync.testing.conformance import CalendarConformance, Subject
from tests.servers.google_subject import GoogleSubject, google


class OnGoogle(CalendarConformance):
    __test__ = False
    knobs = Knobs()

    @pytest.fixture(scope="class")
    @classmethod
    def sandbox(cls) -> Iterator[Sandbox]:
        with google(cls.knobs) as running:
            yield running

    @pytest.fixture(autouse=True)
    def _server(self, sandbox: Sandbox, tmp_path: Path) -> Iterator[None]:
        self.google, self.folder = sandbox, tmp_path
        sandbox.state.strict_faults.clear()
        yield
        assert sandbox.state.strict_faults == []
        assert sandbox.state.mails == []

    def make_subject(self) -> Subject:
        return GoogleSubject(self.google, self.folder)


class TestGoogleAwkward(OnGoogle):
    """The defaults: opaque instance ids, a series as one versioned entity, short, empty and shuffled pages."""

    __test__ = True


class TestGooglePlain(OnGoogle):
    """Old instance ids, a version for each record, full pages, full tombstones, exceptions reset."""

    __test__ = True
    knobs = Knobs(
        opaque_instance_ids=False,
        one_entity_series=False,
        exceptions_on_master_change=Exceptions.RESET,
        tombstone_exceptions=False,
        bare_tombstones=False,
        short_pages=False,
        empty_pages=False,
        shuffled=False,
        garbage_token_code=410,
        no_op_patch_keeps_etag=False,
        batch_shuffled=False,
    )


class TestGoogleOrphans(OnGoogle):
    """A version for each record with the master told again, and single changes that outlive their slots."""

    __test__ = True
    knobs = Knobs(
        one_entity_series=False,
        master_reappears=True,
        exceptions_on_master_change=Exceptions.ORPHANED,
        split_by_count=True,
        trash_refuses=False,
    )


class TestGoogleLagging(OnGoogle):
    """Lists that show a change only some requests later."""

    __test__ = True
    knobs = Knobs(lag=4)

    def make_subject(self) -> Subject:
        subject = GoogleSubject(self.google, self.folder)
        move = subject.hands.move_away

        def move_and_wait(remote_id: str) -> None:
            move(remote_id)
            subject.settle()

        subject.hands.move_away = move_and_wait  # type: ignore[method-assign]
        return subject


class TestGoogleWithEmptyTrash(OnGoogle):
    """A person who deletes for ever: the name stays taken and cannot be revived."""

    __test__ = True

    def make_subject(self) -> Subject:
        subject = GoogleSubject(self.google, self.folder, ids_reserved="purged from the trash (sheet 5.5)")
        delete = subject.hands.delete

        def for_ever(remote_id: str) -> None:
            delete(remote_id)
            subject.hands.person.empty_trash(subject.hands.calendar)

        subject.hands.delete = for_ever  # type: ignore[method-assign]
        return subject
