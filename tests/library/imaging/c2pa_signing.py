"""Files with C2PA manifests, as providers sign them, and what a validator says of a file."""

import io
import json
from datetime import UTC, datetime, timedelta
from functools import cache

import c2pa
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

TRAINED = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
USAGES = [
    *("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement"),
    *("key_cert_sign", "crl_sign", "encipher_only", "decipher_only"),
]


def sign(data, media_type, *, description=""):
    """The file with a manifest that a model made it, signed with a certificate of this test."""
    certificates, key = _certificates()
    signer = c2pa.Signer.from_info(c2pa.C2paSignerInfo("es256", certificates, key, None))
    created = {"action": "c2pa.created", "digitalSourceType": TRAINED}
    if description:
        created["description"] = description
    manifest = {
        "claim_generator_info": [{"name": "A provider", "version": "1"}],
        "assertions": [{"label": "c2pa.actions.v2", "data": {"actions": [created]}}],
    }
    signed = io.BytesIO()
    c2pa.Builder(json.dumps(manifest)).sign(signer, media_type, io.BytesIO(data), signed)
    return signed.getvalue()


def validation_state(data, media_type):
    """Valid, Invalid, or None for a file without a manifest, as the validator of c2pa-python says."""
    try:
        reader = c2pa.Reader(media_type, io.BytesIO(data))
    except c2pa.C2paError.ManifestNotFound:
        return None
    return json.loads(reader.json())["validation_state"]


@cache
def _certificates():
    """A chain of two certificates, which nobody trusts, and the private key, in PEM."""
    authority, signer = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    root = _certificate("An authority", authority, authority, is_authority=True)
    leaf = _certificate("A signer", signer, authority, is_authority=False)
    chain = b"".join(each.public_bytes(serialization.Encoding.PEM) for each in (leaf, root))
    pkcs8, plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    return chain, signer.private_bytes(serialization.Encoding.PEM, pkcs8, plain)


def _certificate(name, key, issuer, *, is_authority):
    now = datetime.now(UTC)
    issuer_key = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.public_key())
    usage = "key_cert_sign" if is_authority else "digital_signature"
    names = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Test")]
    built = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([*names, x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(x509.Name([*names, x509.NameAttribute(NameOID.COMMON_NAME, "An authority")]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=30))
        .add_extension(x509.BasicConstraints(is_authority, None), critical=True)
        .add_extension(x509.KeyUsage(**{each: each == usage for each in USAGES}), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(issuer_key, critical=False)
    )
    if not is_authority:
        built = built.add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), critical=True
        )
    return built.sign(issuer, hashes.SHA256())
