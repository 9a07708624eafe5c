import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** A certificate that signs itself, so that it is its own authority, in a folder of its own. */
export interface Certificate extends AsyncDisposable {
  /** Path of the certificate, PEM. */
  readonly file: string;
  readonly keyFile: string;
}

/** @param names what it is for, as OpenSSL spells it: `DNS:localhost,IP:127.0.0.1` */
export async function createCertificate(names: string): Promise<Certificate> {
  const folder = await mkdtemp(join(tmpdir(), "mandrill-live-certificate-"));
  const [file, keyFile] = [join(folder, "certificate.pem"), join(folder, "key.pem")];
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", keyFile];
  const subject = ["-subj", "/CN=mandrill-live", "-addext", `subjectAltName=${names}`, "-days", "2"];
  await run(process.env.OPENSSL || "openssl", ["req", "-x509", ...key, ...subject, "-out", file]);
  return { file, keyFile, [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }) };
}
