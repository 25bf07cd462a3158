/** Choices as propositional logic: the counterpart of `chooseTristate` and `chooseBool` in configuration.ts. */
import { type Encoder, type Level, placeOf, promptsOf } from './encoder.ts'
import { printExpr } from './expression-text.ts'
import { atLeast, type Bound, below, type Fact } from './facts.ts'
import type { Expr, KconfigSymbol } from './model.ts'
import { displayName, NO, YES } from './model.ts'
import { FALSE, type Literal, not, TRUE } from './sat.ts'

/** Above this many members, that each two exclude each other is left to follow from how one is chosen. */
const MAX_PAIRED = 60

export function defineChoice(encoder: Encoder, choice: KconfigSymbol): void {
  const { base } = encoder
  const members = choice.members
  const picks = members.map((member) => encoder.change(member))
  // One answer is all that a plan gives a choice.
  for (const [index, pick] of picks.entries())
    for (const other of picks.slice(0, index))
      encoder.clause(not(answersY(encoder, pick)), not(answersY(encoder, other)))
  if (members.length <= MAX_PAIRED) exclude(encoder, choice)
  if (base.tree.dialect.choices === 'tristate') defineTristateChoice(encoder, choice)
  else defineBoolChoice(encoder, choice)
}

type Pick = ReturnType<Encoder['change']>

const answersY = (encoder: Encoder, { changed, atLeast: level }: Pick): Literal =>
  encoder.and([changed, level(2)])

function exclude(encoder: Encoder, choice: KconfigSymbol): void {
  const { members } = choice
  for (const [index, member] of members.entries())
    for (const other of members.slice(0, index))
      encoder.fact(
        () => ({
          text: `${displayName(other)} and ${displayName(member)} are in the same choice, which has one y`,
          at: placeOf(choice.nodes[0]),
          claim: { premises: [atLeast(other, 2), atLeast(member, 2)], alternatives: [] },
        }),
        [not(encoder.level(other, 2)), not(encoder.level(member, 2))],
      )
}

function chosenFact(encoder: Encoder, choice: KconfigSymbol, member: KconfigSymbol): Fact {
  const always = encoder.base.tree.constants.y
  const shown: Bound[] = promptsOf(member).map(({ condition }) => atLeast(condition ?? always, 1))
  return {
    text: `${displayName(member)} is y only as the answer to the choice "${choice.nodes[0]?.prompt?.text ?? ''}"`,
    at: placeOf(choice.nodes[0]),
    claim: { premises: [atLeast(member, 2)], alternatives: shown },
  }
}
function someMemberFact(encoder: Encoder, choice: KconfigSymbol, shown: KconfigSymbol): Fact {
  const hasValue = encoder.base.tree.dialect.choices === 'tristate'
  return {
    text: `the choice "${choice.nodes[0]?.prompt?.text ?? ''}" always takes one of its members that show`,
    at: placeOf(choice.nodes[0]),
    claim: {
      premises: [
        ...promptsOf(shown).flatMap(({ condition }) => (condition ? [atLeast(condition, 2)] : [])),
        ...(hasValue ? [atLeast(choice, 2)] : []),
      ],
      alternatives: choice.members.map((member) => atLeast(member, 1)),
    },
  }
}

/** Where the default of a choice leads: the position of the member, for each default in turn. */
const defaultMembers = (choice: KconfigSymbol) =>
  choice.properties.flatMap((property) => {
    if (property.kind !== 'default' || property.value?.kind !== 'symbol') return []
    const index = choice.members.indexOf(property.value.symbol)
    return index < 0 ? [] : [{ condition: property.condition, index }]
  })

/** From Linux 6.9 on: every visible choice has exactly one member at y. */
function defineBoolChoice(encoder: Encoder, choice: KconfigSymbol): void {
  const { base } = encoder
  const { members } = choice
  const shows = members.map((member) =>
    encoder.or(promptsOf(member).map(({ condition }) => encoder.expr(condition, 1))),
  )
  const shown = (index: number): Literal => shows[index] ?? FALSE
  const refused = (index: number): boolean => base.userValue(members[index] ?? choice)?.tristate === NO
  const current = members.findIndex((member) => base.tristate(member) === YES)
  // What is asked, in this order; the first that holds decides. -1: go on with those that the user has not refused.
  const rules: { readonly when: Literal; readonly index: number }[] = []
  members.forEach((member, index) => {
    const pick = encoder.change(member)
    // Refusing a member is never better than taking another.
    encoder.clause(not(pick.changed), pick.atLeast(1))
    rules.push({ when: encoder.and([shown(index), pick.changed]), index })
  })
  const answered = members
    .map((member, index) => ({ index, yes: base.userValue(member)?.tristate === YES }))
    .filter(({ yes }) => yes)
    .sort((a, b) => Number(b.index === current) - Number(a.index === current))
  for (const { index } of answered) rules.push({ when: shown(index), index })
  for (const { condition, index } of defaultMembers(choice)) {
    const when = encoder.and([encoder.expr(condition, 1), shown(index)])
    rules.push({ when, index: refused(index) ? -1 : index })
  }
  members.forEach((_, index) => {
    rules.push({ when: shown(index), index: refused(index) ? -1 : index })
  })
  const first = encoder.firstMatches(rules.map(({ when }) => when))
  const undecided = encoder.or(first.filter((_, position) => rules[position]?.index === -1))
  const open = members.flatMap((member, index) =>
    base.userValue(member) === undefined ? [{ when: shown(index), index }] : [],
  )
  const rest = [...open, ...members.map((_, index) => ({ when: shown(index), index }))]
  const firstOfRest = encoder.firstMatches(rest.map(({ when }) => when))
  members.forEach((member, index) => {
    const own = encoder.level(member, 1)
    const decided = first.filter((_, position) => rules[position]?.index === index)
    const fallen = firstOfRest
      .filter((_, position) => rest[position]?.index === index)
      .map((literal) => encoder.and([undecided, literal]))
    const chosen = encoder.or([...decided, ...fallen])
    const [prompt] = promptsOf(member)
    if (promptsOf(member).length === 1) encoder.needs(member, 1, prompt?.condition)
    encoder.longFact(() => chosenFact(encoder, choice, member), [not(own), chosen])
    encoder.longFact(() => someMemberFact(encoder, choice, member), [not(chosen), own])
  })
}

/** Up to Linux 6.8: a choice has a value; at y it has one member at y, at m any number of members at m. */
function defineTristateChoice(encoder: Encoder, choice: KconfigSymbol): void {
  const { base, and, or, level } = encoder
  const { members } = choice
  const modules = level(base.tree.modules, 1)
  const picks = members.map((member) => encoder.change(member))
  const touched = or(picks.map(({ changed }) => changed))

  // The choice itself.
  const stored = base.raw.storedTristate(choice)
  const shownAt = (symbol: KconfigSymbol, at: Level): Literal =>
    or(promptsOf(symbol).map(({ condition }) => encoder.expr(condition, at)))
  const raised = (at: Level): Literal => {
    const fromMembers = and([touched, or(picks.map((pick) => pick.atLeast(at)))])
    const asBefore = stored >= at ? not(touched) : FALSE
    const held = choice.selectedBy.map(({ term }) => encoder.expr(term, at))
    return or([and([shownAt(choice, at), or([fromMembers, asBefore])]), ...held])
  }
  const some = raised(1)
  const full = choice.type === 'tristate' ? or([raised(2), and([some, not(modules)])]) : some
  // At y without a member that could be y it is n after all.
  const canBeY = or(
    members.flatMap((member) =>
      promptsOf(member).map(({ condition }) => whileChosen(encoder, choice, condition)),
    ),
  )
  const isY = and([full, canBeY])
  encoder.same(level(choice, 2), isY)
  if (choice.type === 'tristate') encoder.same(level(choice, 1), or([isY, and([some, not(full)])]))
  if (choice.nodes.length === 1) encoder.needs(choice, 1, promptsOf(choice)[0]?.condition)

  // Its members: which are visible at all, and which at y.
  const choiceAtY = level(choice, 2)
  const visible = members.map((member) => {
    const bare = (at: Level): Literal =>
      or(
        promptsOf(member).map(({ condition }) => {
          const shown = encoder.expr(condition, at)
          // A member that could only be m is out of the question while its choice is at y.
          return at === 1 && member.type === 'tristate'
            ? and([shown, or([encoder.expr(condition, 2), not(choiceAtY)])])
            : shown
        }),
      )
    const shown = bare(1)
    return {
      some: shown,
      full: or([bare(2), member.type === 'tristate' ? and([shown, not(modules)]) : shown]),
    }
  })
  const someOf = (index: number): Literal => visible[index]?.some ?? FALSE
  const before = [...members.keys()]
    .reverse()
    .find((index) => base.userValue(members[index] ?? choice)?.tristate === YES)
  const current = base.chosen(choice)
  const picked = current === undefined ? before : members.indexOf(current)
  const anew = picks.map((pick) => answersY(encoder, pick))
  const rules = [
    ...members.map((_, index) => ({ when: and([someOf(index), anew[index] ?? FALSE]), index })),
    ...(picked !== undefined && base.userValue(members[picked] ?? choice)?.tristate === YES
      ? [
          {
            when: and([someOf(picked), not(picks[picked]?.changed ?? FALSE), ...anew.map(not)]),
            index: picked,
          },
        ]
      : []),
    ...defaultMembers(choice).map(({ condition, index }) => ({
      when: and([encoder.expr(condition, 1), someOf(index)]),
      index,
    })),
    ...members.map((_, index) => ({ when: someOf(index), index })),
  ]
  const first = encoder.firstMatches(rules.map(({ when }) => when))
  members.forEach((member, index) => {
    const chosen = or(first.filter((_, position) => rules[position]?.index === index))
    const fullyShown = visible[index]?.full ?? FALSE
    const isChosen = and([fullyShown, choiceAtY, chosen])
    const { atLeast: userAtLeast } = encoder.user(member)
    const has = base.userValue(member) === undefined ? (picks[index]?.changed ?? FALSE) : TRUE
    const asModule = and([someOf(index), not(fullyShown), has, userAtLeast(1)])
    const [prompt] = promptsOf(member)
    if (promptsOf(member).length === 1) {
      encoder.needs(member, 1, prompt?.condition)
      if (member.type === 'tristate') encoder.needs(member, 2, prompt?.condition)
    }
    encoder.longFact(() => chosenFact(encoder, choice, member), [not(level(member, 2)), isChosen])
    encoder.longFact(() => someMemberFact(encoder, choice, member), [not(isChosen), level(member, 2)])
    if (member.type === 'tristate') {
      encoder.clause(not(asModule), level(member, 1))
      encoder.fact(
        () => ({
          text: `${displayName(member)}=m can only be set at its prompt${prompt?.condition ? `, if ${printExpr(prompt.condition)}` : ''}, while the choice "${choice.nodes[0]?.prompt?.text ?? ''}" is m`,
          at: placeOf(member.nodes[0]),
          claim: {
            premises: [atLeast(member, 1), below(member, 2)],
            alternatives: [below(choice, 2)],
          },
        }),
        [not(level(member, 1)), isChosen, asModule],
      )
    }
  })
}

/** Whether the condition of a member holds if the choice is y. */
function whileChosen(encoder: Encoder, choice: KconfigSymbol, condition: Expr | undefined): Literal {
  if (condition === undefined) return TRUE
  switch (condition.kind) {
    case 'symbol':
      return condition.symbol === choice ? TRUE : encoder.expr(condition, 1)
    case 'and':
      return encoder.and([
        whileChosen(encoder, choice, condition.left),
        whileChosen(encoder, choice, condition.right),
      ])
    case 'or':
      return encoder.or([
        whileChosen(encoder, choice, condition.left),
        whileChosen(encoder, choice, condition.right),
      ])
    case '=':
      return condition.left === choice && condition.right === encoder.base.tree.constants.y
        ? TRUE
        : encoder.expr(condition, 1)
    default:
      return encoder.expr(condition, 1)
  }
}
