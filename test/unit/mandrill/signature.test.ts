import { createHmac } from "node:crypto";
import { describe, expect, it } from "vitest";
import { decodeForm } from "../../../src/mandrill/form.ts";
import { createSignatureCheck, type SignatureCheck, type Signed } from "../../../src/mandrill/signature.ts";
import { NEGATIVES, SIGNATURES, signatureVector } from "../../harness/mandrill-fixtures.ts";
import { type Post, signedForm, signedParameters } from "../../harness/mandrill-post.ts";

const URL = "https://hooks.example.com/mandrill";
const WEBHOOK = { url: URL, key: "a-key" };

function verify(check: SignatureCheck, { body, headers }: Post): Signed | null {
  return check.verify(decodeForm(Buffer.from(body)), headers["x-mandrill-signature"] ?? "");
}

const checkOf = (urls: string | readonly string[], keys: readonly string[]): SignatureCheck =>
  createSignatureCheck({ urls: [urls].flat(), keys });

describe("createSignatureCheck", () => {
  it.each(SIGNATURES)("accepts what was signed in %s", (_file, { url, key, params, signature }) => {
    const parameters = decodeForm(Buffer.from(new URLSearchParams(params).toString()));
    expect(checkOf(url, [key]).verify(parameters, signature)).toMatchObject({ isTest: false });
  });

  it.each(NEGATIVES)("refuses what was signed in %s", (_file, { url, key, params, signature }) => {
    const parameters = decodeForm(Buffer.from(new URLSearchParams(params).toString()));
    expect(checkOf(url, [key]).verify(parameters, signature)).toBeNull();
  });

  it("accepts a captured body byte for byte", () => {
    const { url, key, raw_body: body, signature } = signatureVector("mandrill_rails_click");
    expect(checkOf(url, [key]).verify(decodeForm(Buffer.from(body as string)), signature)).not.toBeNull();
  });

  it("covers parameters that Mandrill may add, sorted by name", () => {
    const parameters = { z_new: "1", mandrill_events: "[]", Upper: "2", a_new: "ü + &" };
    expect(verify(checkOf(URL, ["a-key"]), signedParameters(parameters, WEBHOOK))).not.toBeNull();
  });

  it("refuses a form to which a parameter was added, or from which one was taken", () => {
    const post = signedParameters({ mandrill_events: "[]", other: "1" }, WEBHOOK);
    const check = checkOf(URL, ["a-key"]);
    expect(verify(check, { ...post, body: `${post.body}&more=1` })).toBeNull();
    expect(verify(check, { ...post, body: "mandrill_events=%5B%5D" })).toBeNull();
    expect(verify(check, { ...post, body: post.body.replace("other=1", "other=2") })).toBeNull();
  });

  it("counts each of several parameters of one name, in their order", () => {
    const signature = createHmac("sha1", "a-key").update(`${URL}a1a0mandrill_events[]`).digest("base64");
    const parameters = (form: string) => decodeForm(Buffer.from(form));
    expect(checkOf(URL, ["a-key"]).verify(parameters("a=1&mandrill_events=[]&a=0"), signature)).not.toBeNull();
    expect(checkOf(URL, ["a-key"]).verify(parameters("a=0&mandrill_events=[]&a=1"), signature)).toBeNull();
  });

  it.each([
    ["another scheme", "http://hooks.example.com/mandrill"],
    ["a slash more", "https://hooks.example.com/mandrill/"],
    ["a port more", "https://hooks.example.com:443/mandrill"],
    ["a query more", "https://hooks.example.com/mandrill?x=1"],
    ["credentials more", "https://user:word@hooks.example.com/mandrill"],
    ["other letters", "https://Hooks.example.com/mandrill"],
  ])("refuses what was signed for a URL with %s", (_what, url) => {
    expect(verify(checkOf(URL, ["a-key"]), signedForm([], { url, key: "a-key" }))).toBeNull();
    expect(verify(checkOf(url, ["a-key"]), signedForm([], { url, key: "a-key" }))).not.toBeNull();
  });

  it("tries every URL with every key", () => {
    const urls = [URL, "https://user:word@other.example.com:8443/in?token=1#x"];
    const keys = ["first", "second", "third"];
    const check = checkOf(urls, keys);
    const found = urls.flatMap((url) => keys.map((key) => verify(check, signedForm([1], { url, key }))?.webhook));
    expect(found).toEqual([
      "https://hooks.example.com/mandrill#1",
      "https://hooks.example.com/mandrill#2",
      "https://hooks.example.com/mandrill#3",
      "https://***@other.example.com:8443/in#1",
      "https://***@other.example.com:8443/in#2",
      "https://***@other.example.com:8443/in#3",
    ]);
  });

  it("gives the same label whichever webhook was busy before", () => {
    const check = checkOf(URL, ["first", "second"]);
    const labels = ["second", "second", "first", "second", "first"].map(
      (key) => verify(check, signedForm([1], { url: URL, key }))?.webhook,
    );
    expect(labels.map((label) => label?.at(-1))).toEqual(["2", "2", "1", "2", "1"]);
  });

  it("labels the webhook by its URL alone where there is one key", () => {
    expect(verify(checkOf(URL, ["a-key"]), signedForm([], WEBHOOK))).toEqual({ webhook: URL, isTest: false });
  });

  it("tells the test key apart, for every URL", () => {
    const urls = [URL, "https://other.example.com/"];
    for (const url of urls) {
      const signed = verify(checkOf(urls, ["a-key"]), signedForm([], { url, key: "test-webhook" }));
      expect(signed).toEqual({ webhook: null, isTest: true });
    }
  });

  it.each([
    ["nothing", ""],
    ["too short", "uZmPxivd5e9pJbRpbNUUt3B13NQ"],
    ["too long", `${"A".repeat(28)}=`],
    ["not of its alphabet", "é".repeat(28)],
    ["twice, as a header sent twice is joined", "same, same"],
  ])("refuses a signature that is %s", (_what, signature) => {
    const parameters = decodeForm(Buffer.from("mandrill_events=[]"));
    expect(checkOf(URL, ["a-key"]).verify(parameters, signature)).toBeNull();
  });

  it("refuses a signature in other letters", () => {
    const post = signedForm([], WEBHOOK);
    const signature = (post.headers["x-mandrill-signature"] as string).toLowerCase();
    expect(verify(checkOf(URL, ["a-key"]), { ...post, headers: { "x-mandrill-signature": signature } })).toBeNull();
  });

  it("tells the URLs that it tries without what is secret in them", () => {
    const { urls } = checkOf(["https://user:word@hooks.example.com/mandrill?token=secret"], ["a-key"]);
    expect(urls).toEqual(["https://***@hooks.example.com/mandrill?token=***"]);
  });

  it("asks for signatures only where there are keys, and then for a URL", () => {
    expect(checkOf([], []).required).toBe(false);
    expect(checkOf(URL, []).required).toBe(false);
    expect(checkOf(URL, ["a-key"]).required).toBe(true);
    expect(() => checkOf([], ["a-key"])).toThrow("without the webhook's URL");
  });
});
