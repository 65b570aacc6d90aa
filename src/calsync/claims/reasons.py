"""The stable codes: why a claim is held or not billable, who must act, and the sentence that says so.

Codes never change once released; sentences may. A sentence holds ids, times and numbers only, never a name (claims
sheet, 11).
"""

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """The gate's answer about one claim."""

    CLEARED = "cleared"
    HELD = "held"
    NOT_BILLABLE = "not-billable"


class Party(StrEnum):
    """Who must act, in the order in which an answer with several reasons names them.

    `nobody` means time, or the client.
    """

    PROVIDER = "provider"
    SUPPORT = "support"
    BILLING = "billing"
    SYSTEM = "system"
    NOBODY = "nobody"


class ReasonCode(StrEnum):
    """Why a claim is not cleared. The order is the order of reasons within one party."""

    SESSION_NOT_OVER = "session-not-over"
    NOT_COMPLETED = "not-completed"
    RESCHEDULE_PENDING = "reschedule-pending"
    DRIFT_OPEN = "drift-open"
    DRIFT_UNACKNOWLEDGED = "drift-unacknowledged"
    EVIDENCE_CONTRADICTS = "evidence-contradicts"
    ATTENDANCE_IN_DOUBT = "attendance-in-doubt"
    READING_FITS_OTHER = "reading-fits-other"
    STATEMENT_CONTRADICTS = "statement-contradicts"
    EVENT_DIFFERS = "event-differs"
    CALENDARS_DISAGREE = "calendars-disagree"
    CALENDAR_UNREACHABLE = "calendar-unreachable"
    CALENDAR_STOPPED = "calendar-stopped"
    NEVER_OBSERVED = "never-observed"
    OBSERVATION_STALE = "observation-stale"
    NO_LINKED_CALENDAR = "no-linked-calendar"
    MINUTES_BELOW_CODE = "minutes-below-code"
    MINUTES_ABOVE_CODE = "minutes-above-code"
    CROSSES_MIDNIGHT = "crosses-midnight"
    DATE_DEPENDS_ON_ZONE = "date-depends-on-zone"
    LOCAL_TIME_GAP = "local-time-gap"
    ZONE_UNKNOWN = "zone-unknown"
    UNKNOWN_APPOINTMENT = "unknown-appointment"
    SAME_DAY_SAME_CODE = "same-day-same-code"
    SESSION_ALREADY_BILLED = "session-already-billed"
    SESSIONS_OVERLAP = "sessions-overlap"
    ALREADY_FILED = "already-filed"
    DATE_MISMATCH = "date-mismatch"
    CANCELLED = "cancelled"
    LATE_CANCELLED = "late-cancelled"
    NO_SHOW = "no-show"
    SELF_PAY = "self-pay"
    INTERNAL_CODE = "internal-code"
    NO_MATCHING_APPOINTMENT = "no-matching-appointment"
    AMBIGUOUS_MATCH = "ambiguous-match"
    PROVIDER_MISMATCH = "provider-mismatch"
    CLIENT_MISMATCH = "client-mismatch"
    DATE_MISSING = "date-missing"
    DATE_UNREADABLE = "date-unreadable"
    DATE_REPEATED = "date-repeated"
    DATE_RANGE_NOT_SINGLE = "date-range-not-single"
    UNITS_NOT_SINGLE = "units-not-single"
    DUPLICATE_IN_BATCH = "duplicate-in-batch"
    CORRECTION_WITHOUT_REFERENCE = "correction-without-reference"
    CORRECTION_OF_UNFILED = "correction-of-unfiled"
    CORRECTION_REFERENCE_MISMATCH = "correction-reference-mismatch"
    ROW_UNREADABLE = "row-unreadable"
    CLAIM_UNREADABLE = "claim-unreadable"
    FILE_EMPTY = "file-empty"
    FILE_UNREADABLE = "file-unreadable"
    FILE_INCOMPLETE = "file-incomplete"
    FILE_COUNTS_WRONG = "file-counts-wrong"
    FILE_NOT_837P = "file-not-837p"
    FILE_NO_CLAIMS = "file-no-claims"
    FILE_TOO_LARGE = "file-too-large"


class AdvisoryCode(StrEnum):
    """What an answer says beside its verdict; an advisory never changes one."""

    PROVEN_BY_LOG = "proven-by-log"
    DRIFT_ANSWERED_BY_LOG = "drift-answered-by-log"
    TIME_DIFFERS = "time-differs"
    TIME_UNCONFIRMED = "time-unconfirmed"
    SERIES_EDIT_COLLATERAL = "series-edit-collateral"
    NO_CALENDAR_DECLARED = "no-calendar-declared"
    MINUTES_ABOVE_CODE = "minutes-above-code"
    PLACE_OF_SERVICE = "place-of-service"
    OVERLAPPING_SESSION = "overlapping-session"
    MATCHED_IN_OTHER_LETTERS = "matched-in-other-letters"


class Rule(StrEnum):
    """What settled a doubt that did *not* hold, or chose between readings; a reason's own rule is its code."""

    LOG_PROVES = "log-proves"
    WORD_AFTER_CONFLICT = "word-after-conflict"
    POST_SESSION_READ = "post-session-read"
    PROOF_BEFORE_STOP = "proof-before-stop"
    COLLATERAL = "collateral"
    SAME_DATE_MOVE = "same-date-move"
    EVIDENCE_EXCUSES_REVERT = "evidence-excuses-revert"
    DECLARED_NO_CALENDAR = "declared-no-calendar"
    REVERTS_NOT_ASKED = "reverts-not-asked"
    READS_NOT_REQUIRED = "reads-not-required"
    UNLINKED_RULE = "unlinked-rule"
    MIDNIGHT_RULE = "midnight-rule"
    ZONE_RULE = "zone-rule"
    MINUTES_LOG = "minutes-log"
    MINUTES_ATTESTED = "minutes-attested"
    MINUTES_SLOT = "minutes-slot"
    RECALL_AT_ONCE = "recall-at-once"
    ASK_FIRST = "ask-first"
    SILENCE = "silence"


@dataclass(frozen=True)
class ReasonRule:
    """What a code means for the verdict, whom it waits on, and its sentence (a `str.format` template)."""

    waiting_on: Party
    sentence: str
    verdict: Verdict = Verdict.HELD


_NOT_A_SERVICE = "There is no insured service to bill: {why}."
_CLIENT_OWES = "There is no insured service to bill: {why}. If there is a fee for it, the client owes all of it."
_P, _S, _B, _Y, _N = Party.PROVIDER, Party.SUPPORT, Party.BILLING, Party.SYSTEM, Party.NOBODY

REASONS: dict[ReasonCode, ReasonRule] = {
    ReasonCode.SESSION_NOT_OVER: ReasonRule(_N, "It runs until {end}; until then there is nothing to do."),
    ReasonCode.NOT_COMPLETED: ReasonRule(_P, "Whether the session of {start} took place has not been recorded{why}."),
    ReasonCode.RESCHEDULE_PENDING: ReasonRule(_N, "A request to move the session is unanswered; it lapses {expiry}."),
    ReasonCode.DRIFT_OPEN: ReasonRule(
        _P,
        "Edit {drift} in {calendar}, seen {detected}, shows {observed}; booked is {start}. Nobody said which is true.",
    ),
    ReasonCode.DRIFT_UNACKNOWLEDGED: ReasonRule(
        _P, "Edit {drift} to {observed} was undone; the provider has yet to confirm {start}."
    ),
    ReasonCode.EVENT_DIFFERS: ReasonRule(
        _Y, "{calendar}, read {read_at}, does not show the booked session; the next pass records the difference."
    ),
    ReasonCode.CALENDARS_DISAGREE: ReasonRule(_P, "{agreeing} shows the session as booked, {calendar} does not."),
    ReasonCode.OBSERVATION_STALE: ReasonRule(
        _Y, "Ended {end}; {calendar} was last read {read_at}{why}; next read {next}."
    ),
    ReasonCode.NEVER_OBSERVED: ReasonRule(_Y, "The session has not been seen in {calendar} yet; next read {next}."),
    ReasonCode.CALENDAR_UNREACHABLE: ReasonRule(
        _P, "Reading {calendar} has failed since {failed}; it needs to be connected again."
    ),
    ReasonCode.CALENDAR_STOPPED: ReasonRule(
        _S, "{calendar} has stood still since {stopped}, and the session was {why}; somebody must look at it."
    ),
    ReasonCode.NO_LINKED_CALENDAR: ReasonRule(_S, "No calendar is linked, and no declaration says that there is none."),
    ReasonCode.EVIDENCE_CONTRADICTS: ReasonRule(_P, "{source} logged {logged}; booked is {start} ({status})."),
    ReasonCode.ATTENDANCE_IN_DOUBT: ReasonRule(
        _P, "{source} counts {minutes} minutes with both present; {least} are needed."
    ),
    ReasonCode.READING_FITS_OTHER: ReasonRule(_P, "The time {logged} may belong to appointment {other} instead."),
    ReasonCode.STATEMENT_CONTRADICTS: ReasonRule(_S, "{by} said at {at}: {says}; booked is {start} ({status})."),
    ReasonCode.MINUTES_BELOW_CODE: ReasonRule(
        _B, "{minutes} minutes ({basis}) are too few for {code}, which needs {floor}."
    ),
    ReasonCode.MINUTES_ABOVE_CODE: ReasonRule(
        _B, "{minutes} minutes ({basis}) are more than {code} covers ({ceiling})."
    ),
    ReasonCode.CROSSES_MIDNIGHT: ReasonRule(
        _B, "{what} runs over midnight ({dates}), and no rule says which day counts."
    ),
    ReasonCode.DATE_DEPENDS_ON_ZONE: ReasonRule(
        _B, "{what} has several dates ({dates}), one per zone, and no rule says which counts."
    ),
    ReasonCode.LOCAL_TIME_GAP: ReasonRule(_S, "The booked time {start}–{end} does not exist in {zone}."),
    ReasonCode.ZONE_UNKNOWN: ReasonRule(_S, "The session has no usable zone: {why}."),
    ReasonCode.UNKNOWN_APPOINTMENT: ReasonRule(_B, "No appointment {appointment} is on the books."),
    ReasonCode.SAME_DAY_SAME_CODE: ReasonRule(
        _B,
        "Appointment {other} ({logged}) has the same provider, client, date and code; a payer would see a duplicate.",
    ),
    ReasonCode.SESSION_ALREADY_BILLED: ReasonRule(
        _B, "The same session is billed for appointment {other} too: it has one claim."
    ),
    ReasonCode.SESSIONS_OVERLAP: ReasonRule(
        _B, "Appointment {other} ({logged}) of the same provider runs at the same time, and is billed too."
    ),
    ReasonCode.ALREADY_FILED: ReasonRule(
        _B, "A claim for {date} was filed already ({filed}); correct that one instead."
    ),
    ReasonCode.DATE_MISMATCH: ReasonRule(_B, "Asked for {asked}, but the session's date is {date}."),
    ReasonCode.CANCELLED: ReasonRule(_N, _NOT_A_SERVICE, Verdict.NOT_BILLABLE),
    ReasonCode.LATE_CANCELLED: ReasonRule(_N, _CLIENT_OWES, Verdict.NOT_BILLABLE),
    ReasonCode.NO_SHOW: ReasonRule(_N, _CLIENT_OWES, Verdict.NOT_BILLABLE),
    ReasonCode.SELF_PAY: ReasonRule(_N, _NOT_A_SERVICE, Verdict.NOT_BILLABLE),
    ReasonCode.INTERNAL_CODE: ReasonRule(_N, _NOT_A_SERVICE, Verdict.NOT_BILLABLE),
    ReasonCode.NO_MATCHING_APPOINTMENT: ReasonRule(_B, "{where}: nothing ties the line to an appointment."),
    ReasonCode.AMBIGUOUS_MATCH: ReasonRule(_B, "{where}: the line fits more than one appointment."),
    ReasonCode.PROVIDER_MISMATCH: ReasonRule(_B, "{where}: another provider than appointment {other} has."),
    ReasonCode.CLIENT_MISMATCH: ReasonRule(_B, "{where}: another client than appointment {other} has."),
    ReasonCode.DATE_MISSING: ReasonRule(_B, "{where}: no date of service."),
    ReasonCode.DATE_UNREADABLE: ReasonRule(_B, "{where}: the date of service cannot be read."),
    ReasonCode.DATE_REPEATED: ReasonRule(_B, "{where}: more than one date of service."),
    ReasonCode.DATE_RANGE_NOT_SINGLE: ReasonRule(_B, "{where}: the date of service is a range of days."),
    ReasonCode.UNITS_NOT_SINGLE: ReasonRule(_B, "{where}: the code is billed once for a session, not several times."),
    ReasonCode.DUPLICATE_IN_BATCH: ReasonRule(
        _B, "{where}: appointment {other} stands in this batch twice; keep one of the two."
    ),
    ReasonCode.CORRECTION_WITHOUT_REFERENCE: ReasonRule(
        _B, "{where}: a correction that does not name the claim it corrects."
    ),
    ReasonCode.CORRECTION_OF_UNFILED: ReasonRule(
        _B, "{where}: a correction, but nothing was filed for appointment {other}."
    ),
    ReasonCode.CORRECTION_REFERENCE_MISMATCH: ReasonRule(
        _B, "{where}: the correction names another claim than the one on the books."
    ),
    ReasonCode.ROW_UNREADABLE: ReasonRule(_B, "{where}: the row cannot be read."),
    ReasonCode.CLAIM_UNREADABLE: ReasonRule(_B, "{where}: the claim cannot be read."),
    ReasonCode.FILE_EMPTY: ReasonRule(_B, "The file is empty; make it again."),
    ReasonCode.FILE_UNREADABLE: ReasonRule(_B, "The file cannot be read ({where}); make it again."),
    ReasonCode.FILE_INCOMPLETE: ReasonRule(_B, "The file ends too early ({where}); make it again."),
    ReasonCode.FILE_COUNTS_WRONG: ReasonRule(_B, "The file's own counts do not add up ({where}); make it again."),
    ReasonCode.FILE_NOT_837P: ReasonRule(_B, "The file holds something other than professional claims ({where})."),
    ReasonCode.FILE_NO_CLAIMS: ReasonRule(_B, "There is no claim in the file."),
    ReasonCode.FILE_TOO_LARGE: ReasonRule(_B, "The file is larger than this installation accepts ({where})."),
}
"""Every reason code with its verdict, its party and its sentence."""

ADVISORIES: dict[AdvisoryCode, str] = {
    AdvisoryCode.PROVEN_BY_LOG: "The trusted session log vouches for what the calendars could not ({struck}).",
    AdvisoryCode.DRIFT_ANSWERED_BY_LOG: "Edit {drift} was never answered; the trusted session log agrees on the date.",
    AdvisoryCode.TIME_DIFFERS: "{who} has {logged}, the record {start}: same date, another time; correct the record.",
    AdvisoryCode.TIME_UNCONFIRMED: "Edit {drift} to {observed}, the same date, was undone and never answered.",
    AdvisoryCode.SERIES_EDIT_COLLATERAL: "Edit {drift} of the whole series came after this session had been proven.",
    AdvisoryCode.NO_CALENDAR_DECLARED: "It rests on the record alone: no calendar, by declaration since {since}.",
    AdvisoryCode.MINUTES_ABOVE_CODE: "{minutes} minutes ({basis}) are more than {code} covers ({ceiling}).",
    AdvisoryCode.PLACE_OF_SERVICE: "{where}: the place of service does not suit the appointment's format.",
    AdvisoryCode.OVERLAPPING_SESSION: "Appointment {other} ({logged}) of the same provider runs at the same time.",
    AdvisoryCode.MATCHED_IN_OTHER_LETTERS: "The file writes the appointment's id in other letters, large for small.",
}
"""Every advisory code with its sentence."""

OUT_OF_TIME = "Asked {asked}, and {days} passed without an answer: the filed claim is in question. {sentence}"
"""The sentence of a question about a filed claim after its time ran out; billing acts."""

ANSWERS_ONLY_WHAT_WAS_ASKED = frozenset({ReasonCode.DATE_MISMATCH, ReasonCode.ALREADY_FILED})
"""Reasons about the question, not about the session: they move no state and hide no recall (section 12)."""

QUESTIONS = frozenset(
    {
        ReasonCode.DRIFT_OPEN,
        ReasonCode.DRIFT_UNACKNOWLEDGED,
        ReasonCode.EVENT_DIFFERS,
        ReasonCode.CALENDARS_DISAGREE,
    }
)
"""Reasons that make a filed claim a question before they make it a recall (section 12)."""

PERHAPS_IT_TOOK_PLACE = frozenset(
    {ReasonCode.DRIFT_OPEN, ReasonCode.EVIDENCE_CONTRADICTS, ReasonCode.STATEMENT_CONTRADICTS}
)
"""Reasons that keep a session recorded as not billable in doubt (rule 12)."""
