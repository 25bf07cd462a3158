/**
 * The questions of oldconfig and oldaskconfig, line by line, and the lists of listnewconfig and helpnewconfig. Prompts,
 * spacing and the order of questions are part of the interface: scripts type the answers.
 */
import { configLine } from './config-file.ts'
import { type Configuration, tristateText } from './configuration.ts'
import { helpText } from './help-text.ts'
import type { KconfigSymbol, MenuNode, Tristate } from './model.ts'
import { MOD, NO, YES } from './model.ts'

export type AskMode = 'oldaskconfig' | 'oldconfig' | 'syncconfig' | 'listnewconfig' | 'helpnewconfig'

export interface Console {
  write(text: string): void
  writeError(text: string): void
  /** The next line with its newline; undefined at the end of input. */
  readLine(): string | undefined
  /** Both ends are a terminal, which shows what is typed by itself. */
  readonly isTerminal: boolean
}

export interface AskResult {
  /** false: input ended while a question needed a valid answer */
  readonly complete: boolean
}

export function ask(configuration: Configuration, startMode: AskMode, console: Console): AskResult {
  const { tree } = configuration
  const tristateChoices = tree.dialect.choices === 'tristate'
  let mode = startMode
  let indent = 1
  let restarts = 0
  let start: MenuNode | undefined
  let line = ''
  let endings = 0
  const { write } = console

  const isNew = (symbol: KconfigSymbol): boolean => configuration.userValue(symbol) === undefined
  const promptOf = (node: MenuNode): string => node.prompt?.text ?? node.symbol?.name ?? '(null)'
  const spaces = (): string => ' '.repeat(Math.max(0, indent - 1))
  const stuck = (): boolean => endings > 3

  /** Reads an answer into `line`; at the end of input the line stays what it was. */
  function readAnswer(): void {
    const answer = console.readLine()
    if (answer === undefined) {
      endings++
      console.writeError('\nError in reading or end of file.\n')
    } else line = answer
    if (!console.isTerminal) write(line)
  }

  /** @returns false when there is nothing to ask because the answer is given */
  function askValue(symbol: KconfigSymbol, current: string): boolean {
    if (isNew(symbol)) write('(NEW) ')
    line = '\n'
    const given = (mode === 'oldconfig' || mode === 'syncconfig') && !isNew(symbol)
    if (!configuration.isChangeable(symbol) || given) {
      write(`${current}\n`)
      return false
    }
    readAnswer()
    return true
  }

  const printHelp = (node: MenuNode): void => write(`\n${helpText(configuration, node)}\n`)

  function askText(node: MenuNode, symbol: KconfigSymbol): void {
    while (!stuck()) {
      const current = configuration.text(symbol)
      write(`${spaces()}${node.prompt?.text ?? ''} (${symbol.name ?? '(null)'}) [${current}] `)
      if (!askValue(symbol, current)) return
      if (line === '?\n') {
        printHelp(node)
        continue
      }
      if (configuration.set(symbol, line.startsWith('\n') ? current : line.slice(0, -1))) return
    }
  }

  function askTristate(node: MenuNode, symbol: KconfigSymbol): void {
    while (!stuck()) {
      write(`${spaces()}${node.prompt?.text ?? ''} `)
      if (symbol.name !== undefined) write(`(${symbol.name}) `)
      const old = configuration.tristate(symbol)
      write(`[${tristateText(old).toUpperCase()}`)
      for (const value of [NO, MOD, YES] as readonly Tristate[])
        if (old !== value && configuration.canBe(symbol, value)) write(`/${tristateText(value)}`)
      write('/?] ')
      if (!askValue(symbol, configuration.text(symbol))) return
      const answer = line.trim()
      let value: Tristate = old
      if (/^(?:[nN]o?)$/.test(answer)) value = NO
      else if (/^[mM]$/.test(answer)) value = MOD
      else if (/^[yY](?:es)?$/.test(answer)) value = YES
      else if (answer.startsWith('?')) {
        printHelp(node)
        continue
      } else if (answer !== '') continue
      if (configuration.setTristate(symbol, value)) return
      printHelp(node)
    }
  }

  function askChoice(node: MenuNode, choice: KconfigSymbol): void {
    let choiceIsNew = tristateChoices && isNew(choice)
    if (tristateChoices) {
      if (configuration.isChangeable(choice)) {
        askTristate(node, choice)
        if (configuration.tristate(choice) !== YES) return
      } else {
        const value = configuration.tristate(choice)
        if (value === MOD) write(`${spaces()}${promptOf(node)}\n`)
        if (value !== YES) return
      }
    }
    while (!stuck()) {
      write(`${spaces()}${promptOf(node)}\n`)
      const chosen = configuration.chosen(choice)
      let count = 0
      let current = 0
      line = ''
      for (let child = node.firstChild; child !== undefined; child = child.next) {
        if (!configuration.isMenuVisible(child)) continue
        const { symbol } = child
        if (symbol === undefined) {
          write(`${'*'.padStart(indent)} ${promptOf(child)}\n`)
          continue
        }
        count++
        if (symbol === chosen) current = count
        write(`${(symbol === chosen ? '>' : ' ').padStart(indent)} ${count}. ${promptOf(child)}`)
        if (symbol.name !== undefined) write(` (${symbol.name})`)
        if (isNew(symbol)) {
          if (!tristateChoices) choiceIsNew = true
          write(' (NEW)')
        }
        write('\n')
      }
      write(`${spaces()}choice`)
      let picked = current
      if (count === 1) {
        write('[1]: 1\n')
        picked = 1
      } else {
        write(`[1-${count}?]: `)
        if ((mode === 'oldconfig' || mode === 'syncconfig') && !choiceIsNew) write(`${current}\n`)
        else {
          readAnswer()
          line = line.trim()
          if (line.startsWith('?')) {
            printHelp(node)
            continue
          }
          if (line !== '') {
            if (!/^\d/.test(line)) continue
            picked = Number.parseInt(line, 10)
          }
        }
      }
      const child = visibleMember(node, picked)
      if (child?.symbol === undefined) continue
      if (line.endsWith('?')) {
        printHelp(child)
        continue
      }
      configuration.choose(child.symbol)
      if (tristateChoices)
        for (let below = child.firstChild; below !== undefined; below = below.next) {
          indent += 2
          askNode(below)
          indent -= 2
        }
      return
    }
  }

  function visibleMember(node: MenuNode, position: number): MenuNode | undefined {
    let left = position
    for (let child = node.firstChild; child !== undefined; child = child.next) {
      if (child.symbol === undefined || !configuration.isMenuVisible(child)) continue
      if (--left === 0) return child
    }
    return undefined
  }

  /** Asks everything in a menu, or in a menu of its own only what is new. */
  function askNode(node: MenuNode): void {
    if (stuck() || !configuration.isMenuVisible(node)) return
    const { symbol, prompt } = node
    if (prompt?.kind === 'menu' && mode !== 'oldaskconfig' && start !== node) {
      findNew(node)
      return
    }
    if (prompt?.kind === 'menu' || prompt?.kind === 'comment') {
      const star = '*'.padStart(indent)
      write(`${star}\n${star} ${promptOf(node)}\n${star}\n`)
    }
    if (symbol !== undefined) {
      if (symbol.isChoice) {
        askChoice(node, symbol)
        if (!tristateChoices || configuration.tristate(symbol) !== MOD) return
      } else if (symbol.type === 'int' || symbol.type === 'hex' || symbol.type === 'string')
        askText(node, symbol)
      else askTristate(node, symbol)
      indent += 2
    }
    for (let child = node.firstChild; child !== undefined; child = child.next) askNode(child)
    if (symbol !== undefined) indent -= 2
  }

  /** Looks for what has no value yet, and lists it or asks the menu it is in. */
  function findNew(node: MenuNode): void {
    if (stuck() || !configuration.isMenuVisible(node)) return
    const { symbol } = node
    if (symbol !== undefined && isNew(symbol) && isQuestion(symbol)) {
      if (mode === 'listnewconfig') {
        if (symbol.name !== undefined) write(configLine(configuration, symbol, 'n') ?? '')
      } else if (mode === 'helpnewconfig') {
        write('-----\n')
        printHelp(node)
        write('-----\n')
      } else {
        if (restarts++ === 0) write('*\n* Restart config...\n*\n')
        start = menuOf(node)
        askNode(start)
      }
    }
    for (let child = node.firstChild; child !== undefined; child = child.next) findNew(child)
  }

  const isQuestion = (symbol: KconfigSymbol): boolean =>
    configuration.isChangeable(symbol) ||
    (tristateChoices && symbol.isChoice && configuration.tristate(symbol) === YES)

  function menuOf(node: MenuNode): MenuNode {
    for (let at: MenuNode | undefined = node; at !== undefined; at = at.parent)
      if (at.prompt?.kind === 'menu' || at === tree.root) return at
    return tree.root
  }

  if (mode === 'oldaskconfig') {
    start = tree.root
    askNode(tree.root)
    mode = 'oldconfig'
  }
  do {
    restarts = 0
    findNew(tree.root)
  } while (restarts > 0 && !stuck())
  return { complete: !stuck() }
}
