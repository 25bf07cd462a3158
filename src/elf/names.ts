/**
 * `e_machine` values (gABI 4.1, figure "Machine Architectures", and its registry of later ones), for the
 * architectures that Linux runs on.
 */
const machines: ReadonlyMap<number, string> = new Map([
  [0, 'none'],
  [2, 'SPARC'],
  [3, 'x86'],
  [4, 'Motorola 68000'],
  [8, 'MIPS'],
  [15, 'PA-RISC'],
  [18, 'SPARC 32+'],
  [20, 'PowerPC'],
  [21, 'PowerPC64'],
  [22, 'S/390'],
  [40, 'ARM'],
  [42, 'SuperH'],
  [43, 'SPARC64'],
  [50, 'Itanium'],
  [62, 'x86-64'],
  [92, 'OpenRISC'],
  [93, 'ARCompact'],
  [94, 'Xtensa'],
  [164, 'Hexagon'],
  [183, 'AArch64'],
  [189, 'MicroBlaze'],
  [195, 'ARCv2'],
  [243, 'RISC-V'],
  [247, 'BPF'],
  [252, 'C-SKY'],
  [258, 'LoongArch'],
  [0x9026, 'Alpha'],
])

/** `e_type` values (gABI 4.1, figure "Object File Types"). */
const types: ReadonlyMap<number, string> = new Map([
  [0, 'none'],
  [1, 'relocatable'],
  [2, 'executable'],
  [3, 'shared object'],
  [4, 'core'],
])

/** The field's name of an `e_machine` value, `machine 12345` if it has none here. */
export function elfMachineName(machine: number): string {
  return machines.get(machine) ?? `machine ${machine}`
}

/** The name of an `e_type` value, `type 12345` if it has none. A position-independent program is a shared object. */
export function elfTypeName(type: number): string {
  return types.get(type) ?? `type ${type}`
}
