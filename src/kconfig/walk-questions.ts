/**
 * allnoconfig and its relatives in the dialect where every question is answered in turn (busybox): the menu is walked as
 * if somebody typed the answers, each of which can make further questions appear or take them away.
 */
import type { Configuration } from './configuration.ts'
import type { KconfigSymbol, MenuNode, Tristate } from './model.ts'
import { MOD, NO, YES } from './model.ts'
import type { AllMode } from './modes.ts'

/** How often symbols that have become visible are gone through again. Trees need two or three rounds. */
const MAX_ROUNDS = 1000

export function answerInTurn(configuration: Configuration, mode: AllMode): void {
  const { root } = configuration.tree
  const isNew = (symbol: KconfigSymbol): boolean => configuration.userValue(symbol) === undefined

  /** What would be typed at a question for y, m or n. */
  function answerTo(symbol: KconfigSymbol): Tristate {
    const possible = (value: Tristate): boolean => configuration.canBe(symbol, value)
    const current = configuration.tristate(symbol)
    if (mode === 'default' || !configuration.isChangeable(symbol)) return current
    if (mode === 'yes' && possible(YES)) return YES
    if (mode !== 'no' && possible(configuration.actsAsBool(symbol) ? YES : MOD))
      return configuration.actsAsBool(symbol) ? YES : MOD
    return possible(NO) ? NO : current
  }

  function visitChoice(node: MenuNode, choice: KconfigSymbol): void {
    if (configuration.isChangeable(choice)) configuration.setTristate(choice, answerTo(choice))
    if (configuration.tristate(choice) !== YES) return
    const chosen = configuration.chosen(choice)
    for (let child = node.firstChild; child !== undefined; child = child.next) {
      if (child.symbol === undefined || child.symbol !== chosen || !configuration.isMenuVisible(child))
        continue
      configuration.choose(child.symbol)
      if (child.firstChild !== undefined) visit(child.firstChild)
      return
    }
  }

  function visit(node: MenuNode): void {
    if (!configuration.isMenuVisible(node)) return
    const { symbol } = node
    if (symbol?.isChoice) {
      visitChoice(node, symbol)
      if (configuration.tristate(symbol) !== MOD) return
    } else if (symbol !== undefined) {
      if (symbol.type === 'bool' || symbol.type === 'tristate')
        configuration.setTristate(symbol, answerTo(symbol))
      else configuration.set(symbol, configuration.text(symbol))
    }
    for (let child = node.firstChild; child !== undefined; child = child.next) visit(child)
  }

  /** @returns whether a symbol without a value was found, whose menu was then gone through again */
  function visitNew(node: MenuNode): boolean {
    if (!configuration.isMenuVisible(node)) return false
    const { symbol } = node
    let found = false
    if (symbol !== undefined && isNew(symbol)) {
      const asked =
        configuration.isChangeable(symbol) || (symbol.isChoice && configuration.tristate(symbol) === YES)
      if (asked) {
        found = true
        let menu = node
        while (menu !== root && menu.prompt?.kind !== 'menu') menu = menu.parent ?? root
        visit(menu)
      }
    }
    for (let child = node.firstChild; child !== undefined; child = child.next)
      if (visitNew(child)) found = true
    return found
  }

  visit(root)
  // What a first answer selected can be turned off once the asker has been.
  if (mode !== 'default') visit(root)
  for (let round = 0; round < MAX_ROUNDS && visitNew(root); round++);
}
