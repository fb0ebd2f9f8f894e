// Judges a passport in the browser alone: nothing is sent, nothing is fetched.
// base45 (RFC 9285), zlib, canonical JSON (RFC 8785), Ed25519 (W3C eddsa-jcs-2022).
"use strict";
(() => {
  const BASE45 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:";
  const BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
  const KEPT = "anlage-passport-key";

  const unbase45 = (text) => {
    const bytes = [];
    for (let place = 0; place < text.length; place += 3) {
      const part = [...text.slice(place, place + 3)].map((one) => BASE45.indexOf(one));
      if (part.includes(-1) || part.length === 1) throw new Error("not base45");
      const number = part.reduce((sum, value, power) => sum + value * 45 ** power, 0);
      if (part.length === 3) bytes.push(number >> 8);
      if (number >= 256 ** (part.length - 1)) throw new Error("not base45");
      bytes.push(number & 255);
    }
    return new Uint8Array(bytes);
  };

  const unbase58 = (text) => {
    let number = 0n;
    for (const one of text) {
      const value = BASE58.indexOf(one);
      if (value < 0) throw new Error("not base58");
      number = number * 58n + BigInt(value);
    }
    const bytes = [];
    for (; number > 0n; number >>= 8n) bytes.unshift(Number(number & 255n));
    for (const one of text) { if (one !== "1") break; bytes.unshift(0); }
    return new Uint8Array(bytes);
  };

  const inflate = async (bytes) => {
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
    return new Response(stream).text();
  };

  // Canonical JSON of text, whole numbers, truth values, lists and objects: what passports hold.
  const canonical = (value) => {
    if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
    if (value && typeof value === "object") {
      return `{${Object.keys(value).sort().map((key) => `${JSON.stringify(key)}:${canonical(value[key])}`).join(",")}}`;
    }
    if (typeof value === "number" && !Number.isSafeInteger(value)) throw new Error("a fraction");
    return JSON.stringify(value);
  };

  const digest = async (value) => new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(canonical(value))));

  const keyOf = (name) => {
    const plain = name.trim().replace(/^did:key:/, "").split("#")[0];
    if (/^[0-9a-f]{64}$/i.test(plain)) return Uint8Array.from(plain.match(/../g), (pair) => parseInt(pair, 16));
    if (plain[0] !== "z") throw new Error("no key");
    const bytes = unbase58(plain.slice(1));
    if (bytes.length !== 34 || bytes[0] !== 0xed || bytes[1] !== 1) throw new Error("no Ed25519 key");
    return bytes.slice(2);
  };

  const same = (one, other) => one.length === other.length && one.every((byte, place) => byte === other[place]);

  // Gives {verdict, reasons, passport}: valid, unconfirmed (no key to compare with) or invalid.
  async function judge(text, trusted, at = new Date()) {
    const reasons = [];
    let passport;
    try {
      text = text.trim();
      passport = JSON.parse(text.startsWith("AP1:") ? await inflate(unbase45(text.slice(4))) : text);
    } catch { return { verdict: "invalid", reasons: ["This is no passport."], passport: null }; }
    const { proof, ...body } = passport;
    try {
      const { proofValue, ...options } = proof;
      if (options.cryptosuite !== "eddsa-jcs-2022" || options.proofPurpose !== "assertionMethod" || options.type !== "DataIntegrityProof") throw new Error("another kind of proof");
      const signer = keyOf(options.verificationMethod);
      const issuer = typeof body.issuer === "object" ? body.issuer.id : body.issuer;
      if (issuer !== options.verificationMethod.split("#")[0]) reasons.push("Its issuer is not its signer.");
      if ("@context" in options) {
        const mine = [options["@context"]].flat(), theirs = [body["@context"]].flat();
        if (!mine.every((one, place) => canonical(one) === canonical(theirs[place]))) throw new Error("another context");
        body["@context"] = options["@context"];
      }
      const signed = new Uint8Array([...await digest(options), ...await digest(body)]);
      const key = await crypto.subtle.importKey("raw", signer, { name: "Ed25519" }, false, ["verify"]);
      if (!await crypto.subtle.verify("Ed25519", key, unbase58(proofValue.slice(1)), signed)) reasons.push("Its signature is not that of these contents: it was changed or forged.");
      if (trusted && !same(keyOf(trusted), signer)) reasons.push("It was signed by another key than the one you trust.");
    } catch (error) {
      reasons.push(error.name === "NotSupportedError" ? "This browser cannot check Ed25519 signatures; use a newer one." : "Its proof cannot be read.");
    }
    if (passport.validFrom && at < new Date(passport.validFrom)) reasons.push(`It is valid from ${passport.validFrom}.`);
    if (passport.validUntil && at > new Date(passport.validUntil)) reasons.push(`It was valid until ${passport.validUntil}.`);
    return { verdict: reasons.length ? "invalid" : trusted ? "valid" : "unconfirmed", reasons, passport };
  }

  const WORDS = {
    valid: "Valid: signed by the key you trust, unchanged.",
    unconfirmed: "Unchanged, but the signer is not confirmed: enter the key that the issuing site gave you.",
    invalid: "Do not rely on it.",
  };

  // A part as a person reads it: lists and inner parts as lists, every value as text alone.
  function shown(value) {
    if (!value || typeof value !== "object") return document.createTextNode(String(value));
    const list = document.createElement("ul");
    list.className = "plain inner";
    const isList = Array.isArray(value);
    for (const [name, inner] of Object.entries(value)) {
      const item = document.createElement("li");
      if (!isList) item.append(Object.assign(document.createElement("span"), { className: "quiet", textContent: `${name.replaceAll("_", " ")}: ` }));
      item.append(shown(inner));
      list.append(item);
    }
    return list;
  }

  const ORDER = ["product", "conditions", "consent", "handling", "rules", "tests"];

  function show(place, { verdict, reasons, passport }) {
    place.replaceChildren();
    const head = document.createElement("p");
    head.className = `note ${verdict === "valid" ? "good" : "warn"}`;
    head.dataset.verdict = verdict;
    head.append(Object.assign(document.createElement("b"), { textContent: WORDS[verdict] }));
    for (const one of reasons) head.append(document.createElement("br"), one);
    place.append(head);
    const subject = passport?.credentialSubject;
    if (!subject || typeof subject !== "object") return;
    const list = document.createElement("dl");
    list.className = "facts";
    const rows = { ...subject, issuer: passport.issuer, "valid until": passport.validUntil };
    const names = [...ORDER.filter((one) => one in rows), ...Object.keys(rows).filter((one) => !ORDER.includes(one))];
    for (const name of names) {
      const said = document.createElement("dd");
      said.append(shown(rows[name]));
      list.append(Object.assign(document.createElement("dt"), { textContent: name.replaceAll("_", " ") }), said);
    }
    place.append(list);
  }

  const form = document.getElementById("passport-form");
  if (!form) return;
  const key = form.elements.key, box = form.elements.passport, place = document.getElementById("verdict");
  try { key.value ||= localStorage.getItem(KEPT) || ""; } catch { /* a browser that keeps nothing */ }
  form.addEventListener("submit", async (sending) => {
    sending.preventDefault();
    try { localStorage.setItem(KEPT, key.value.trim()); } catch { /* a browser that keeps nothing */ }
    show(place, await judge(box.value, key.value.trim()));
  });
  form.elements.photo.addEventListener("change", async () => {
    const file = form.elements.photo.files[0];
    if (!file) return;
    if (file.type.startsWith("image/")) {
      if (!("BarcodeDetector" in window)) { show(place, { verdict: "invalid", reasons: ["This browser reads no codes from photos: scan the code with the camera and paste its text."], passport: null }); return; }
      const found = await new BarcodeDetector({ formats: ["qr_code"] }).detect(await createImageBitmap(file));
      box.value = found[0]?.rawValue || "";
    } else box.value = await file.text();
    form.requestSubmit();
  });
})();
