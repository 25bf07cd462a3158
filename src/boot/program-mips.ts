/**
 * A MIPS kernel: an ELF file, vmlinux or a vmlinuz that unpacks itself. Where it runs is decided when it is linked, in the
 * first 512 MiB of memory, as KSEG0 shows it.
 */
import { readElf, segmentType } from '../elf/index.ts'
import { toPhysicalAddress } from '../layout/index.ts'
import { type BootPlanError, failure, type Result, success } from './result.ts'

/** Addresses are physical. */
export interface MipsKernel {
  readonly loadAddress: number
  readonly entryPoint: number
  /** Of memory, from the load address on: with its bss, and the heap of one that unpacks itself. */
  readonly memoryBytes: number
  readonly bigEndian: boolean
}

/** The kernel, and its bytes as they lie in memory from the load address on: `objcopy -O binary`. Error: `wrong-kernel`. */
export function readMipsKernel(
  bytes: Uint8Array,
): Result<{ readonly kernel: MipsKernel; readonly content: Uint8Array }, BootPlanError> {
  const wrong = (message: string) => failure<BootPlanError>({ type: 'wrong-kernel', message })
  const elf = readElf(bytes)
  if (!elf.ok) return wrong(`it is no ELF file: ${elf.error.message}`)
  const { machine, byteOrder } = elf.value
  if (machine !== MACHINE_MIPS)
    return wrong(`it is for another machine (${machine}), not MIPS (${MACHINE_MIPS})`)
  const segments = elf.value.segments()
  if (!segments.ok) return wrong(segments.error.message)
  const loaded: { readonly address: number; readonly memoryBytes: number; readonly data: Uint8Array }[] = []
  for (const { type, physicalAddress, memorySizeBytes, offsetBytes, fileSizeBytes } of segments.value) {
    if (type !== segmentType.load || memorySizeBytes === 0) continue
    const address = toPhysicalAddress('kseg0', physicalAddress)
    if (address === undefined)
      return wrong(`it is linked to 0x${physicalAddress.toString(16)}, outside KSEG0`)
    const data = bytes.subarray(offsetBytes, offsetBytes + fileSizeBytes)
    const fits = data.length === fileSizeBytes && fileSizeBytes <= memorySizeBytes
    if (!fits || address + memorySizeBytes > KSEG_BYTES)
      return wrong('a segment reaches beyond file or memory')
    loaded.push({ address, memoryBytes: memorySizeBytes, data })
  }
  const entryPoint = toPhysicalAddress('kseg0', elf.value.entryPoint)
  if (loaded.length === 0 || entryPoint === undefined)
    return wrong('it has nothing that is loaded and started')
  const loadAddress = Math.min(...loaded.map(({ address }) => address))
  const fileEnd = Math.max(...loaded.map(({ address, data }) => address + data.length))
  const memoryEnd = Math.max(...loaded.map(({ address, memoryBytes }) => address + memoryBytes))
  // Segments may leave gaps, and an object of a hostile file may leave a huge one.
  if (fileEnd - loadAddress > 2 * bytes.length + GAP_BYTES) return wrong('its segments lie far apart')
  const content = new Uint8Array(fileEnd - loadAddress)
  for (const { address, data } of loaded) content.set(data, address - loadAddress)
  const bigEndian = byteOrder === 'big'
  const memoryBytes = memoryEnd - loadAddress
  return success({ kernel: { loadAddress, entryPoint, memoryBytes, bigEndian }, content })
}

/** EM_MIPS (System V ABI, MIPS supplement). */
const MACHINE_MIPS = 8
const KSEG_BYTES = 0x2000_0000
const GAP_BYTES = 1 << 20
