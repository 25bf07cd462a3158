import { Command } from 'commander'

/** `firmwright demo` placeholder */
export function demoCommand(): Command {
  return new Command('demo')
}
