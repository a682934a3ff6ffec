"""Setting values: what people write around a value and do not mean, and what each kind of value may be.

What nothing can be meant by is taken off: blanks, line ends, unseen characters and quotes around a value. What stands
inside of one is refused. Every refusal is a ValueError whose text completes “NAME=value cannot be used: …”.
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

# Control characters, the soft hyphen, zero-width characters, marks of the direction of writing, the byte order mark.
_UNSEEN: Final = r"\0-\x1f\x7f-\x9f\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u2064\u2066-\u206f\ufeff"
_AROUND: Final = re.compile(rf"^[\s{_UNSEEN}]+|[\s{_UNSEEN}]+$")
# The same within a value, where joiners (U+200C, U+200D) belong to the spelling of words and of emoji.
_INSIDE: Final = re.compile(r"[\0-\x1f\x7f-\x9f\u00ad\u200b\u200e\u200f\u2028-\u202e\u2060-\u2064\u2066-\u206f\ufeff]")
_QUOTES: Final = {
    **{each: each for each in "\"'`"},
    **{"“": "”", "”": "”", "„": "“”", "‘": "’", "’": "’", "‚": "‘’", "«": "»", "「": "」", "\uff02": "\uff02"},
}
_ANY_QUOTE: Final = frozenset("".join((*_QUOTES, *_QUOTES.values())))
_NO_ADDRESS: Final = _ANY_QUOTE | frozenset("<>{}$\\;")  # such as of a template that nobody has filled in
_PRINTED: Final = re.compile(r"[!-~]*")  # ASCII that can be seen, which is what a header may carry

# https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
_BUCKET: Final = re.compile(r"(?!xn--|sthree-|amzn-s3-demo-)[a-z0-9](?:[a-z0-9-]|\.(?!\.)){1,61}[a-z0-9]")
_ADDRESS_OF_FOUR: Final = re.compile(r"\d+(\.\d+){3}")
_NO_BUCKETS: Final = ("--x-s3", "--ol-s3", ".mrap", "--table-s3")  # what else S3 has names for, with another API
# What could be made in us-east-1 until March 2018, and still serves there.
_OLD_BUCKET: Final = re.compile(r"[A-Za-z0-9._-]{3,255}")
_OLD_REGION: Final = "us-east-1"
_AMAZONS_HOST: Final = re.compile(r"(?:(?P<bucket>.+)\.)?s3(?:[.-][a-z0-9-]+)*\.amazonaws\.com(?:\.cn)?")
_ZONE: Final = re.compile(r"([a-z]{2}(?:-[a-z]+)+-\d)[a-z]")
_REGION: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?")  # other servers name theirs as they like
_API_PATH: Final = re.compile(r"/(?:chat/completions|completions|responses|images/\w+|models|embeddings|batches)/*$")


def cleaned(written: str, name: str = "") -> str:
    """A value without what stands around it, also without its setting's name in front, as in `export NAME=value`."""
    assigned = re.compile(rf"(?:export\s+)?{re.escape(name)}\s*=") if name else None
    value, before = written, None
    while value != before:
        before = value
        value = _AROUND.sub("", value)
        if assigned is not None and (found := assigned.match(value)):
            value = value[found.end() :]
        is_quoted = len(value) > 1 and value[-1] in _QUOTES.get(value[0], "")
        if is_quoted and value[0] not in value[1:-1] and value[-1] not in value[1:-1]:
            value = value[1:-1]
    return value


def text(value: object) -> object:
    """A text of one line. Raises ValueError."""
    if isinstance(value, str) and (unseen := _INSIDE.search(value)):
        if unseen[0] in "\n\r\u2028\u2029":
            raise ValueError("it has a line break inside: write one value on one line")
        raise ValueError(f"it has an unseen character inside (U+{ord(unseen[0]):04X}): write it anew")
    return value


def token(value: object) -> object:
    """A name, an id or a key: what can be seen of ASCII, and no blank. Raises ValueError."""
    if not isinstance(text(value), str) or not value:
        return value
    written = str(value)
    if any(map(str.isspace, written)):
        raise ValueError("it has a blank inside, and is one word")
    if not _PRINTED.fullmatch(written):
        raise ValueError("it has other characters than ASCII's: copy it anew from where it was issued")
    if written[0] in "\"'`" or written[-1] in "\"'`":
        raise ValueError("it has a quote at one end alone")
    return value


def api_key(value: object) -> object:
    """A key, also as it stands in a header, `Bearer sk-…`. Raises ValueError."""
    if isinstance(value, str):
        value = re.sub(r"^(?:authorization\s*:\s*)?bearer\s+", "", value, flags=re.IGNORECASE)
    return token(value)


def client_id(value: object) -> object:
    """The id of an OAuth client at Google. Raises ValueError."""
    if isinstance(token(value), str) and str(value).startswith("GOCSPX-"):
        raise ValueError("it is a client secret, which GOOGLE_CLIENT_SECRET takes")
    if isinstance(value, str) and "/" in value:
        raise ValueError("it is an address: write the id alone, as 123-abc.apps.googleusercontent.com")
    return value


def client_secret(value: object) -> object:
    """Its secret. Raises ValueError."""
    if isinstance(token(value), str) and str(value).endswith(".apps.googleusercontent.com"):
        raise ValueError("it is a client id, which GOOGLE_CLIENT_ID takes")
    return value


def bucket(value: object, *, region: str = "") -> object:
    """The name of a general purpose bucket; one of the old kind where the region is said to be theirs.

    Raises ValueError, which names the settings for what an address or an ARN holds besides.
    """
    if not isinstance(value, str) or not value:
        return value
    if value.startswith("arn:") and ":s3:::" not in value:
        raise ValueError("it is an ARN: write the bucket's name, or the alias of the access point")
    name, prefix = _bucket_in(value)
    if name != value:
        rest = f" and S3_LIBRARY_PREFIX={prefix.rstrip('/')}/" if prefix.strip("/") else ""
        raise ValueError(f"it is more than a bucket's name: write S3_BUCKET={name}{rest}")
    if value.endswith(_NO_BUCKETS):
        raise ValueError("it names no general purpose bucket, which is the only kind that lists its keys in order")
    is_todays = _BUCKET.fullmatch(value) and not _ADDRESS_OF_FOUR.fullmatch(value)
    is_old = region == _OLD_REGION and _OLD_BUCKET.fullmatch(value)
    if not (is_todays or is_old):
        reason = "S3 takes 3 to 63 of a-z, 0-9, hyphens and single dots, with a letter or a digit at both ends"
        if _OLD_BUCKET.fullmatch(value) and re.search("[A-Z_]", value):
            reason += f"; for a bucket of {_OLD_REGION} from before 2018 set AWS_DEFAULT_REGION={_OLD_REGION} as well"
        raise ValueError(reason)
    return value


def _bucket_in(written: str) -> tuple[str, str]:
    """The bucket and the prefix that an address, an ARN or a path names; the text itself where it is none of them."""
    scheme, is_address, rest = written.partition("://")
    if written.startswith("arn:") and ":s3:::" in written:
        name, _, prefix = written.split(":s3:::", 1)[1].partition("/")
    elif is_address and scheme.lower() in ("http", "https"):
        name, prefix = _bucket_at(written)
    elif is_address:
        name, _, prefix = rest.partition("/")
    else:
        name, _, prefix = written.strip("/\\").replace("\\", "/").partition("/")
    return name or written, prefix.rstrip("*")


def _bucket_at(url: str) -> tuple[str, str]:
    try:
        parts = urlsplit(url)
    except ValueError:
        return "…", ""
    path = unquote(parts.path).lstrip("/")
    if "console.aws" in parts.netloc:
        return path.rpartition("buckets/")[2] or "…", parse_qs(parts.query).get("prefix", [""])[0]
    amazons = _AMAZONS_HOST.fullmatch(parts.hostname or "")
    if amazons is not None and amazons["bucket"]:
        return amazons["bucket"], path
    name, _, prefix = path.partition("/")
    return name or "…", prefix


def folder(value: object) -> object:
    """A prefix ends with a slash, without which S3 would also match siblings, and begins with none; `/` is the bucket.

    Raises ValueError.
    """
    if not isinstance(text(value), str):
        return value
    written = str(value).replace("\\", "/")
    if "://" in written or written.startswith("arn:"):
        _, prefix = _bucket_in(written)
        raise ValueError(f"it is an address: write the folder alone, as {prefix.strip('/') or 'refs'}/, and S3_BUCKET")
    if "*" in written:
        raise ValueError(
            f"it is no pattern: write the folder alone, as {written.partition('*')[0].strip('/') or 'refs'}/"
        )
    while written.startswith(("/", "./")):
        written = written.removeprefix(".").removeprefix("/")
    return f"{written.rstrip('/')}/" if written.strip("/") else ""


def address(value: object) -> object:
    """The address of a server: scheme and host, perhaps a port and a path. Raises ValueError."""
    if isinstance(text(value), str) and value:
        _parts_of(str(value))
    return value


def bucket_address(value: object, *, bucket: str | None) -> object:
    """The address of an S3 that is not Amazon's default one, without the bucket. Raises ValueError."""
    if not isinstance(text(value), str):
        return value
    parts = _parts_of(str(value))
    amazons = _AMAZONS_HOST.fullmatch(parts.hostname or "")
    is_private = ".vpce." in (parts.hostname or "")  # where Amazon's own addresses begin with the word “bucket”
    if (amazons is not None and amazons["bucket"] and not is_private) or (bucket and parts.path.strip("/") == bucket):
        raise ValueError("it names a bucket: write the address of the server alone, the bucket has S3_BUCKET")
    return value


def api_address(value: object) -> object:
    """The address of a server that speaks OpenAI's API, up to where its paths begin. Raises ValueError."""
    if not isinstance(text(value), str):
        return value
    parts = _parts_of(str(value))
    if (found := _API_PATH.search(parts.path)) is not None:
        raise ValueError(f"it is the address of one call: write it without “{found[0].rstrip('/')}”")
    if parts.hostname == "api.openai.com" and not parts.path.strip("/"):
        raise ValueError("it lacks its path: write https://api.openai.com/v1")
    return value


def _parts_of(written: str) -> SplitResult:
    try:
        parts = urlsplit(written)
        is_one = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_one = False
    if not is_one or any(map(str.isspace, written)) or written.count("://") > 1 or _NO_ADDRESS.intersection(written):
        raise ValueError("it is no address of a server: write it whole, as https://name.example:9000")
    if parts.query or parts.fragment:
        raise ValueError("it has a query: write it without what follows ? or #")
    return parts


def region(value: object) -> object:
    """The name of a region. Raises ValueError."""
    if not isinstance(text(value), str) or not value:
        return value
    if zone := _ZONE.fullmatch(str(value)):
        raise ValueError(f"it is a zone: write the region, {zone[1]}")
    if not _REGION.fullmatch(str(value)):
        raise ValueError("it is no name of a region: write it as ap-northeast-2")
    return value
