import type { KmodResult } from './error.ts'

/** The signature at the end of a signed module (include/linux/module_signature.h). */
export interface KmodSignature {
  /** Size of the module itself: what was signed, and what is left when the signature is taken off. */
  readonly contentBytes: number
  /** The signature, a PKCS#7 message unless `idType` says otherwise. */
  readonly signature: Uint8Array
  /** PKEY_ID_*: 0 PGP, 1 X.509, 2 PKCS#7, which is the only one that kernels since 4.3 take. */
  readonly idType: number
}

const magic = Buffer.from('~Module signature appended~\n')
/** struct module_signature: five bytes, three of padding, the length of the signature in big-endian order. */
const infoBytes = 12

/** `undefined` for an unsigned module; an error for a trailer that the kernel would refuse. */
export function readSignature(bytes: Uint8Array): KmodResult<KmodSignature | undefined> {
  const magicAt = bytes.length - magic.length
  if (magicAt < 0 || magic.compare(bytes, magicAt) !== 0) return { ok: true, value: undefined }
  const infoAt = magicAt - infoBytes
  if (infoAt < 0) return damaged(magicAt, 'a signature trailer without its description')
  const info = new DataView(bytes.buffer, bytes.byteOffset + infoAt, infoBytes)
  const signatureBytes = info.getUint32(8, false)
  const contentBytes = infoAt - signatureBytes
  if (contentBytes <= 0)
    return damaged(infoAt, `a signature of ${signatureBytes} bytes in a file of ${bytes.length}`)
  return {
    ok: true,
    value: { contentBytes, signature: bytes.subarray(contentBytes, infoAt), idType: info.getUint8(2) },
  }
}

function damaged(offsetBytes: number, message: string): KmodResult<never> {
  return { ok: false, error: { type: 'malformed', section: 'signature trailer', offsetBytes, message } }
}
