"""Another maker's verifier (npm) accepts our passport and refuses it when it is changed."""

import json
import shutil
import subprocess
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from anlage.custody import Audience, issue_passport

PACKAGES = (
    "@digitalbazaar/data-integrity@2",
    "@digitalbazaar/eddsa-jcs-2022-cryptosuite@1",
    "jsonld-signatures@11",
)
SCRIPT = """
import fs from 'fs';
import jsigs from 'jsonld-signatures';
import {DataIntegrityProof} from '@digitalbazaar/data-integrity';
import * as jcs from '@digitalbazaar/eddsa-jcs-2022-cryptosuite';
const suite = new DataIntegrityProof({cryptosuite: jcs.createVerifyCryptosuite()});
const documentLoader = async url => {
  const id = url.split('#')[0], publicKeyMultibase = id.slice(8);
  const document = {'@context': 'https://w3id.org/security/multikey/v1', type: 'Multikey',
    id: `${id}#${publicKeyMultibase}`, controller: id, publicKeyMultibase};
  return {documentUrl: url, document};
};
class Purpose extends jsigs.purposes.ProofPurpose {
  constructor() { super({term: 'assertionMethod'}); }
  async validate() { return {valid: true}; }
}
for(const name of process.argv.slice(2)) {
  const document = JSON.parse(fs.readFileSync(name));
  const {verified} = await jsigs.verify(document, {suite, purpose: new Purpose(), documentLoader});
  console.log(verified);
}
"""


@pytest.fixture(scope="module")
def verifier(tmp_path_factory):
    """A folder with the verifier installed, or a skip where npm or its packages are absent."""
    if shutil.which("npm") is None or shutil.which("node") is None:
        pytest.skip("npm is absent")
    folder = tmp_path_factory.mktemp("verifier")
    (folder / "package.json").write_text('{"private": true}')
    try:
        installed = subprocess.run(
            ["npm", "install", "--silent", "--no-audit", "--no-fund", *PACKAGES],
            cwd=folder,
            capture_output=True,
            timeout=60,
            check=False,
        )
    except subprocess.TimeoutExpired:
        pytest.skip("the packages cannot be had")
    if installed.returncode:
        pytest.skip("the packages cannot be had")
    (folder / "verify.mjs").write_text(SCRIPT)
    return folder


@pytest.mark.slow
def test_an_outside_verifier_accepts_our_passport_and_no_changed_one(verifier):
    record = {"id": "shipment/S-1", "product": {"name": "CAR-T", "maker": "Zellwerk Süd"}}
    passport = issue_passport(
        record, Audience.CARRIER, Ed25519PrivateKey.generate(), at=datetime.now(UTC), salt="0" * 32
    )
    (verifier / "ours.json").write_text(json.dumps(passport))
    (verifier / "changed.json").write_text(json.dumps(passport).replace("CAR-T", "CAR-X"))

    said = subprocess.run(
        ["node", "verify.mjs", "ours.json", "changed.json"],
        cwd=verifier,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )

    assert said.stdout.split() == ["true", "false"]
