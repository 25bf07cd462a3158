/**
 * Drives a board's boot loader over a serial line: {@link openLink} is the wire, {@link openPrompt} a conversation with
 * U-Boot's prompt, {@link bootBoard} the whole way from power-on to a system that is up. Whatever goes wrong is a
 * {@link BootFailure} that says what to do.
 *
 * Nothing is trusted: a line is run only after its echo came back whole, each result is asked for, and the loader's own
 * memory map (`bdinfo`) is held against the plan before anything is sent.
 */
export { contradictions, type LoaderMemory, parseBdinfo } from './bdinfo.ts'
export { type BootEvent, type BootOptions, bootBoard, stopAutoboot } from './boot.ts'
export { type BootFailure, type BootFailureType, recogniseFailure } from './failure.ts'
export {
  type Link,
  type LinkAddress,
  type LinkListener,
  type OpenedLink,
  openLink,
  parseLinkAddress,
} from './link.ts'
export { loaderFromAnswers, type ProbeAnswers, probeLoader } from './probe.ts'
export { type Answer, openPrompt, type Prompt, type PromptResult } from './prompt.ts'
