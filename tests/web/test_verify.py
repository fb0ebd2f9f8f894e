"""The record's verification on a page: what is whole is proven, what was touched is named."""

import io
import zipfile

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile


@pytest.fixture
def exported(enter, house):
    return enter("eva").get("/record/lot/{running}/export".format(**house.named)).content


def send(browser, data, **more):
    return browser.post("/record/verify", {"file": SimpleUploadedFile("lot.zip", data), **more})


def test_a_record_proves_itself_on_its_page(enter, house):
    text = enter("eva").get("/record/lot/{running}/verify".format(**house.named)).content.decode()

    assert "Proven, signer confirmed" in text


def test_an_uploaded_export_is_judged_by_the_key_one_trusts(enter, exported):
    browser = enter("eva")

    assert "Consistent, signer unconfirmed" in send(browser, exported).content.decode()
    foreign = send(browser, exported, trust="ab" * 32).content.decode()
    assert "Not proven" in foreign and "Do not rely on it" in foreign


@pytest.mark.req("P11.10a")
def test_a_touched_export_is_not_proven_and_the_member_is_named(enter, exported):
    changed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(exported)) as old, zipfile.ZipFile(changed, "w") as new:
        for name in old.namelist():
            data = old.read(name)
            new.writestr(name, data[:-1] + bytes([data[-1] ^ 1]) if "facts" in name else data)

    text = send(enter("eva"), changed.getvalue()).content.decode()

    assert "Not proven" in text
    assert "facts" in text[text.index("Where") :]


@pytest.mark.parametrize("data", [b"no zip at all", b"PK\x03\x04" + b"\0" * 40])
def test_a_file_that_is_no_export_is_not_proven(enter, data):
    assert "Not proven" in send(enter("eva"), data).content.decode()


def test_a_key_that_is_no_key_is_refused(enter, exported):
    answer = send(enter("eva"), exported, trust="<script>")

    assert answer.status_code == 409
    assert b"64 hexadecimal digits" in answer.content
    assert b"<script>&#x27;" not in answer.content
