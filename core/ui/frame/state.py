"""Session state: every key the pages and the shell use, in one place, and one way to read a value of ours."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import TypeVar

import streamlit as st

T = TypeVar("T")


class Key(StrEnum):
    """Names in `st.session_state`. Widgets marked bound also stand in the URL under this name."""

    OWNER = "session_owner"  # the address of the person whose session this is: nobody else's once it is set

    # Signing in and out
    ATTEMPT = "sign_in_attempt"  # an Attempt: never what came back from it
    LAST_ATTEMPT = "sign_in_last_attempt"  # the name of the one whose answer was taken
    REFUSAL_SHOWN = "sign_in_refusal_shown"  # this tab has said why the sign-in that led to it was refused
    SIGN_IN_PROBLEM = "sign_in_problem"  # the StudioError an attempt ended with
    LOGIN_TOKEN = "login_token"  # noqa: S105 - a name; what it names stays for the one run that gives it to the browser
    OTHER_ACCOUNT = "other_account"  # a person who may not come in wants to try another
    REQUEST = "session_request"  # the SessionRequest the browser is at
    LEFT = "left"  # why this tab shows nobody's pages any more, until it is loaded anew

    # The token page
    TOKEN_FORM = "token_form"  # noqa: S105 - names
    TOKEN_FIELD = "token_field"  # noqa: S105

    RACES = "races_met"  # when runs met the end of the one before, by the monotonic clock
    UNKNOWN_PAGE = "unknown_page"  # the name a tab was loaded under, if it is no page's

    # The composer
    PROMPT = "prompt"
    MODE = "mode"
    TONE = "tone_tiles"
    ANGLE = "angle_tiles"
    FOLDER = "model_folder"
    PERSON = "person"
    GENDER = "gender"
    AGES = "ages"
    SIZE = "size"
    ENGINE = "engine"
    QUALITY = "quality"
    VARIES = "varies"
    BALANCED = "balanced"
    STRENGTH_OF = "strength_of"  # the slot whose strength is varied
    STRENGTH_B = "strength_b"  # how closely B follows it
    ENGINE_B = "engine_b"
    QUALITY_B = "quality_b"
    TAKES = "takes"
    DRAFT = "draft"  # a Draft: picks that are no widget's own
    USED = "used"  # keys of references that go into their slots when Generate is drawn next
    USED_TAKEN = "used_taken"  # they are in; a draft that the browser hands over later takes them out again
    CHOSEN = "chosen"  # the Wishes that the last run or act left: what differs from them is an act
    SHOWN = "shown_comparison"  # the comparison on the stage
    REPORTED = "reported"  # the pictures that were said to be wrong matches
    STAGED = "staged_comparison"  # a Staged: what stands on the stage, which may be what was shown before
    WORK = "work"  # a SeenWork: what this tab has told to be at work, and how the last of it ended
    SEEN = "seen_comparisons"  # those that were on this tab's stage: the same once more is meant as another
    PAIR = "pair"  # a Pair: two pictures side by side in the comparison's place
    FILMSTRIP = "filmstrip"
    RECALL = "recall"  # a comparison to open on the Generate page
    ORDERED = "ordered"  # Generate was pressed and is answered in this run
    TONE_ASKED = "tone_asked"  # the Wishes whose press of Generate was answered with the tone question
    TONE_AGREED = "tone_agreed"  # the Wishes that are sent without a tone reference all the same
    BUTTON_DRAWN = "generate_drawn"  # Generate was drawn in this session, so its presses call back
    ASIDE_WANTED = "draft_wanted"  # the draft that was set aside is to come back
    KEEPING = "draft_keeping"  # a Keeping: what the browser and this session know of each other

    # The reference browser (bound)
    REF_SEARCH = "q"
    REF_ROLE = "role"
    REF_TONE = "tone"
    REF_ANGLE = "angle"
    REF_GENDER = "presents"
    REF_AGE = "aged"
    REF_PROBLEMS = "problems"
    REF_FOLDER = "folder"
    REF_GROUP = "group"
    REF_VIEW = "view"
    REF_PAGE = "page"
    REF_GRID = "reference_grid"
    REF_SELECTION = "selection-bar"  # the style sheet keeps it in sight under this name
    REF_USE = "references_to_use"  # keys of what was chosen where several want the same slot
    REF_FILTERS_SHOWN = "reference_filters_shown"  # on a narrow screen
    LABEL_FILTERS_SHOWN = "label_filters_shown"
    HISTORY_FILTERS_SHOWN = "history_filters_shown"
    REF_JUMP = "reference_jump"  # a group to go to, before the filters are drawn

    # People
    PEOPLE_SEEN = "people_seen"  # the version of the list that is on the screen
    PEOPLE_LOST = "people_lost"  # a LostChange
    PEOPLE_PROBLEM = "people_problem"  # the StudioError the last change ended with
    PEOPLE_TURN = "people_turn"  # how many changes have failed: each draws the list's widgets anew
    PEOPLE_ENTRY = "people_entry"
    PEOPLE_LEVEL = "people_level"
    PEOPLE_SEARCH = "whom"  # bound
    PEOPLE_PAGE = "roll"  # bound
    LIMITS_SEEN = "limits_seen"  # the version of the budgets that is on the screen
    LIMITS_PROBLEM = "limits_problem"
    LIMIT_DAILY = "limit_daily"
    LIMIT_PERSON = "limit_person"

    # Labels (the filters and the view are bound)
    LABEL_VIEW = "show"
    LABEL_WHY = "why"
    LABEL_AGE = "age"
    LABEL_GENDER = "presentation"
    LABEL_GROUP = "in_group"
    LABEL_SOURCE = "source"
    LABEL_STATE = "state"
    LABEL_REVIEWER = "reviewer"
    LABEL_SEARCH = "find"
    LABEL_PAGE = "sheet"
    LABEL_GRID = "label_grid"
    LABEL_FOCUS = "label_desk"  # browsers keep what was decided under this name
    LABEL_FIELD = "label_field"  # the field a bulk edit sets
    LABEL_VALUE = "label_value"
    LABEL_THIRD = "label_third"  # a value that neither of two reviewers gave; with the case and the field behind it
    LABEL_DESK = "label_lent_to"  # the name under which portraits are lent to this tab, while its desk is open
    LABEL_DRAFT = "label_draft"  # the publication that is shown
    LABEL_DRAFT_PART = "label_draft_part"
    LABEL_DRAFT_PERSON = "label_draft_person"
    LABEL_DRAFT_GROUP = "label_draft_group"
    LABEL_DRAFT_PAGE = "label_draft_page"
    LABEL_UNDONE = "label_undone"  # keys that were just undone and want a decision again

    # History (bound but for the grid)
    HISTORY_SEARCH = "text"
    HISTORY_PERSON = "by"
    HISTORY_MODE = "made"
    HISTORY_VARIES = "varying"
    HISTORY_TONE = "with_tone"
    HISTORY_ANGLE = "with_angle"
    HISTORY_REFERENCE = "with_reference"
    HISTORY_FAVOURITES = "favourites"
    HISTORY_HIDES_FAILED = "hide_failed"
    HISTORY_LIMIT = "history_limit"
    HISTORY_GRID = "history_grid"
    HISTORY_ORIGIN = "history_origin"  # the grid of one card, with that card's id behind it

    # History details: each with the comparison's id behind it
    TAKE_SHOWN = "take_shown"
    VARIATION_OPEN = "variation_open"
    VARIATION_TONE = "variation_tone"
    VARIATION_ANGLE = "variation_angle"
    VARIATION_SIZE = "variation_size"
    VARIATION_SIDE = "variation_side"
    VARIATION_MISSING = "variation_missing"

    # Voting (the filters are bound)
    VOTING = "voting"  # a Voting: the ballots before this tab, and what became of its answers
    VOTE_DESK = "vote_desk"
    VOTE_DAYS = "vote_days"
    VOTE_TONE = "vote_tone"
    VOTE_ANGLE = "vote_angle"
    VOTE_VARIES = "vote_varies"
    VOTE_PERSON = "vote_by"
    VOTE_SEEN = "vote_seen"

    # Insights (bound but for whether the filters are shown)
    INSIGHTS_VARIES = "question"
    INSIGHTS_FROM = "since"
    INSIGHTS_TO = "until"
    INSIGHTS_CONTRAST = "compared"
    INSIGHTS_TONE = "of_tone"
    INSIGHTS_ANGLE = "of_angle"
    INSIGHTS_PERSON = "of_person"
    INSIGHTS_MODEL = "of_model"
    INSIGHTS_VOTER = "of_voter"
    INSIGHTS_SEEN = "count_seen"
    INSIGHTS_BY = "parts"
    INSIGHTS_FILTERS_SHOWN = "insights_filters_shown"

    # Spending
    SPEND_DAYS = "spend_days"


PAIR_PARAM = "pair"  # the query parameter that finds two pictures side by side again
COMPARISON_PARAM = "comparison"  # the query parameter that finds a comparison again after a reload
OPENED_PARAM = "opened"  # the query parameter that says which drawer stands open: an id, a key, or its name


def session_value(key: Key, kind: type[T], make: Callable[[], T]) -> T:
    """What the session holds under a key that one module alone writes; made when it is asked for first."""
    if key not in st.session_state:
        st.session_state[key] = make()
    value = st.session_state[key]
    assert isinstance(value, kind)  # noqa: S101 - session state is untyped
    return value
