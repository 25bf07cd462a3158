/**
 * Reads ELF files: 32 and 64 bit, both byte orders, from anywhere, hostile ones included.
 *
 * An ELF file has a header and two tables that describe the same bytes for two readers. *Sections* are for those
 * who link and inspect: named, typed ranges (`.text`, `.symtab`, a kernel module's `.modinfo`). *Segments* are for
 * those who load: what goes where in memory. A linked program has both, an object file (and so a kernel module)
 * only sections, and a program may be stripped of its section table and still run; what a program needs at run
 * time is therefore read through segments alone.
 *
 * {@link readElf} checks the header and nothing else. Each question asked of the {@link ElfFile} reads and checks
 * what that question needs, and answers with a value or an {@link ElfError} that carries the offset of the
 * trouble. No input makes it throw, read outside the input, or use memory out of proportion to the input's size.
 *
 * The specification is the System V gABI, chapters 4 and 5; comments name the sections.
 */
export type { ElfDynamic } from './dynamic.ts'
export type { ElfError, ElfResult, Result } from './error.ts'
export { type ElfFile, readElf, readElfSection } from './file.ts'
export type { ElfHeader } from './header.ts'
export type { ElfInput } from './input.ts'
export { elfMachineName, elfTypeName } from './names.ts'
export type { ElfRelocation, RelocationVisitor } from './relocations.ts'
export { type ElfSection, sectionType } from './sections.ts'
export { type ElfSegment, segmentType } from './segments.ts'
export { type ElfSymbol, type ElfSymbolTable, reservedSection } from './symbols.ts'
