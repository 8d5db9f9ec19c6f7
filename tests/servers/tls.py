"""Certificates of an authority of our own, and a relay that speaks TLS for a server that cannot."""

from __future__ import annotations

import asyncio
import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from servers.counting import Relay

_SIGNS = x509.KeyUsage(
    digital_signature=False,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    key_cert_sign=True,
    crl_sign=True,
    encipher_only=False,
    decipher_only=False,
)
"""What the key of an authority is for."""


class Authority:
    """Signs a certificate for 127.0.0.1; its own is what clients are to trust."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.file = folder / "authority.pem"
        self.certificate = folder / "server.pem"
        self.key = folder / "server.key"
        own_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
        own_name = _named(f"authority {folder.name}")
        own = _about(own_name, own_name, own_key.public_key())
        own = own.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        own = own.add_extension(_SIGNS, critical=True)
        own_identifier = x509.SubjectKeyIdentifier.from_public_key(own_key.public_key())
        own = own.add_extension(own_identifier, critical=False)
        self.file.write_bytes(own.sign(own_key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
        of_server = _about(_named("server"), own_name, key.public_key()).add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False
        )
        # Who signed it: from Python 3.13 on, the standard library trusts no certificate that does not say so.
        signer = x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(own_identifier)
        signed = of_server.add_extension(signer, critical=False).sign(own_key, hashes.SHA256())
        self.certificate.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
        self.key.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _about(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
    )


class TlsRelay(Relay):
    """Takes connections with TLS, and passes on to a server without."""

    def __init__(self, url: str, authority: Authority) -> None:
        super().__init__(url)
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(authority.certificate, authority.key)

    @property
    def url(self) -> str:
        """Where it listens, as a client with TLS names it."""
        return super().url.replace("redis://", "rediss://", 1)

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self._context)
        return self
