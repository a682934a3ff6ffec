"""The certificate of all servers of the tests that speak HTTPS, which the tests' browser takes for a good one."""

from __future__ import annotations

import atexit
import base64
import hashlib
import shutil
import ssl
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import trustme
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat


@dataclass(frozen=True, slots=True)
class Certificate:
    """Its files, and what trusts it. `public_key` is the hash by which a browser is told that it may."""

    chain: Path
    key: Path
    trust: ssl.SSLContext
    public_key: str


@cache
def certificate() -> Certificate:
    """For localhost and 127.0.0.1; one for each process. Of a site that it distrusts a browser caches nothing."""
    authority, trust = trustme.CA(), ssl.create_default_context()
    authority.configure_trust(trust)
    issued = authority.issue_cert("localhost", "127.0.0.1")
    folder = Path(tempfile.mkdtemp(prefix="certificate-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    chain, key = folder / "chain.pem", folder / "key.pem"
    chain.write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
    issued.private_key_pem.write_to_path(str(key))
    leaf = x509.load_pem_x509_certificate(issued.cert_chain_pems[0].bytes())
    public = leaf.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return Certificate(chain, key, trust, base64.b64encode(hashlib.sha256(public).digest()).decode())
