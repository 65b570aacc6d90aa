"""A certificate authority of a test's own, and certificates that it signs."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

_PEM = serialization.Encoding.PEM


@dataclass(frozen=True, slots=True)
class Authority:
    """Signs certificates; `file` holds its own, for those who trust it."""

    folder: Path
    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @property
    def file(self) -> Path:
        """The file of its own certificate."""
        return self.folder / "authority.pem"

    def server_context(self, *names: str) -> ssl.SSLContext:
        """What a server needs that is called by these host names and addresses."""
        key = ec.generate_private_key(ec.SECP256R1())
        others = [_general_name(name) for name in names]
        made = _builder("server", key, "authority").add_extension(x509.SubjectAlternativeName(others), critical=False)
        certificate = made.sign(self.key, hashes.SHA256())
        file = self.folder / f"server-{names[0].replace(':', '-')}.pem"
        secret = key.private_bytes(_PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        file.write_bytes(certificate.public_bytes(_PEM) + secret)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        return context


def make_authority(folder: Path) -> Authority:
    """Make an authority that nobody knows yet."""
    key = ec.generate_private_key(ec.SECP256R1())
    extension = x509.BasicConstraints(ca=True, path_length=None)
    certificate = _builder("authority", key, "authority").add_extension(extension, critical=True)
    signed = certificate.sign(key, hashes.SHA256())
    made = Authority(folder, key, signed)
    made.file.write_bytes(signed.public_bytes(_PEM))
    return made


def _builder(name: str, key: ec.EllipticCurvePrivateKey, issuer: str) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(_named(name))
        .issuer_name(_named(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
    )


def _named(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)
