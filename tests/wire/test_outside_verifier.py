"""Other makers' verifiers (npm) accept our passport, read our revocation list, refuse a changed one."""

import json
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from tests.outside import node, npm_folder

from anlage.custody import Audience, issue_passport, status_list

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("npm")]
PACKAGES = (
    "@digitalbazaar/vc@7.3.0",
    "@digitalbazaar/data-integrity@2.5.0",
    "@digitalbazaar/eddsa-jcs-2022-cryptosuite@1.0.0",
    "@digitalbazaar/vc-bitstring-status-list@2.0.1",
    "jsonld-signatures@11",
)
ADDRESS = "https://site.example/passports/revoked"
RECORD = {
    "id": "lot/L-1",
    "product": [{"name": "CAR-T", "maker": "Zellwerk Süd"}],
    "conditions": [
        {
            "shipment": "SH-1",
            "verdict": "quarantine",
            "logs": [
                {
                    "start": "2026-03-01T12:00:00.000000Z",
                    "range": "-182.0 to -148.5 degC",
                    "reasons": ["outside -150 degC for 24 min; 20 min are allowed"],
                    "excursions": 1,
                    "longest": [{"worst": "-148.5 degC", "limit": "below -150 degC"}],
                }
            ],
        }
    ],
    "consent": [{"state": "on record", "form": "ICF-CD19", "version": "3"}],
    "handling": {"always": ["DO NOT X-RAY"], "limits": [{"not above": "-130 Cel"}]},
}
# The terms of our own stand under W3C's address for undefined terms; the verifier asks for it.
SCRIPT = """
import fs from 'fs';
import * as vc from '@digitalbazaar/vc';
import {DataIntegrityProof} from '@digitalbazaar/data-integrity';
import * as jcs from '@digitalbazaar/eddsa-jcs-2022-cryptosuite';
import {checkStatus} from '@digitalbazaar/vc-bitstring-status-list';
const UNDEFINED = 'https://www.w3.org/ns/credentials/undefined-terms/v2';
const held = JSON.parse(fs.readFileSync(process.argv[2]));
const documentLoader = async url => {
  if(url === UNDEFINED) {
    return {documentUrl: url, document:
      {'@context': {'@vocab': 'https://www.w3.org/ns/credentials/undefined-term#'}}};
  }
  if(url === held.list.id) {
    return {documentUrl: url, document: held.list};
  }
  if(url.startsWith('did:key:')) {
    const id = url.split('#')[0], publicKeyMultibase = id.slice(8), key = `${id}#${publicKeyMultibase}`;
    const method = {'@context': 'https://w3id.org/security/multikey/v1', type: 'Multikey',
      id: key, controller: id, publicKeyMultibase};
    const document = url.includes('#') ? method : {'@context': ['https://www.w3.org/ns/did/v1'],
      id, verificationMethod: [method], assertionMethod: [key]};
    return {documentUrl: url, document};
  }
  return vc.defaultDocumentLoader(url);
};
const suite = new DataIntegrityProof({cryptosuite: jcs.createVerifyCryptosuite()});
for(const credential of held.passports) {
  const {verified, statusResult} = await vc.verifyCredential({credential, suite, documentLoader,
    checkStatus: options => checkStatus({...options, verifyMatchingIssuers: true, suite})});
  const isRevoked = statusResult?.results?.some(one => one.status) ?? 'unknown';
  console.log(`${verified},${isRevoked}`);
}
"""


@pytest.fixture(scope="module")
def verifier():
    """The folder in which the verifier is installed."""
    return npm_folder("verifier", PACKAGES)


def passport(key, place, audience=Audience.CARRIER):
    return issue_passport(
        RECORD,
        audience,
        key,
        at=datetime.now(UTC),
        salt="0" * 32,
        status=(ADDRESS, place),
    )


def changed(credential):
    return json.loads(json.dumps(credential).replace("CAR-T", "CAR-X"))


def test_an_outside_verifier_judges_our_passports_as_we_do(verifier, tmp_path):
    key = Ed25519PrivateKey.generate()
    good, revoked = passport(key, 4), passport(key, 5)
    of_site = passport(key, 6, Audience.SITE)
    assert "consent" in of_site["credentialSubject"] and "consent" not in good["credentialSubject"]
    listed = status_list(ADDRESS, [5], key, at=datetime.now(UTC))
    file = tmp_path / "held.json"
    file.write_text(
        json.dumps({"passports": [good, changed(good), revoked, of_site], "list": listed}), "utf-8"
    )

    said = node(verifier, SCRIPT, file)

    assert said == ["true,false", "false,unknown", "true,true", "true,false"]
