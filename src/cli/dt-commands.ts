import { readFileSync } from 'node:fs'
import {
  type DeviceNode,
  type DeviceTree,
  decodeCells,
  decodeStrings,
  deleteProperty,
  ensureNode,
  findNode,
  mergeOverlay,
  type NodeRef,
  parseSourceValue,
  printDevicetree,
  printNode,
  printValue,
  propertyValue,
  readDevicetree,
  setProperty as setTreeProperty,
  writeDevicetree,
} from '../devicetree/index.ts'
import { nearNames, UserError } from '../diagnostics/index.ts'
import type { DtEditOptions } from './dt.ts'
import { writeWhole } from './write-whole.ts'

export function printTree(file: string, reference: string, json: boolean): void {
  const tree = readTree(file)
  const { node, path } = nodeOf(tree, reference, file)
  if (json) process.stdout.write(`${JSON.stringify(asData(node), undefined, 2)}\n`)
  else process.stdout.write(path === '/' ? printDevicetree(tree) : printNode(node))
}

export function getProperty(
  file: string,
  reference: string,
  property: string | undefined,
  json: boolean,
): void {
  const { node, path } = nodeOf(readTree(file), reference, file)
  if (property === undefined) {
    const names = {
      properties: node.properties.map(({ name }) => name),
      children: node.children.map(({ name }) => name),
    }
    const lines = [...names.properties, ...names.children.map((name) => `${name}/`)]
    process.stdout.write(json ? `${JSON.stringify(names)}\n` : lines.map((line) => `${line}\n`).join(''))
    return
  }
  const value = propertyValue(node, property)
  if (value === undefined) {
    const near = nearNames(
      property,
      node.properties.map(({ name }) => name),
    )
    throw new UserError({
      what: `"${path}" of ${file} has no property "${property}"`,
      ...(near.length === 0 ? {} : { fix: `did you mean ${near.join(' or ')}?` }),
    })
  }
  if (!json) {
    process.stdout.write(`${value.length === 0 ? '' : printValue(value)}\n`)
    return
  }
  const described = {
    hex: Buffer.from(value).toString('hex'),
    cells: decodeCells(value) ?? null,
    strings: value.length === 0 ? null : (decodeStrings(value) ?? null),
  }
  process.stdout.write(`${JSON.stringify(described)}\n`)
}

/** Sets a property; `text` undefined deletes it. */
export function setProperty(
  file: string,
  reference: string,
  property: string,
  text: string | undefined,
  options: DtEditOptions,
): void {
  const tree = readTree(file)
  if (text === undefined) {
    const without = take(deleteProperty(tree, reference, property), file)
    writeWhole(options.output ?? file, writeDevicetree(without))
    return
  }
  const value = parseSourceValue(text)
  if (!value.ok) {
    throw new UserError({
      what: `${text} is no value of a property`,
      why: value.error.message,
      fix: 'write <1 0x20>, "text" or [00 ff], quoted for the shell',
    })
  }
  const withNode = reference.startsWith('/') ? take(ensureNode(tree, reference), file) : tree
  const edited = take(setTreeProperty(withNode, reference, property, value.value), file)
  writeWhole(options.output ?? file, writeDevicetree(edited))
}

export function applyOverlays(file: string, overlays: readonly string[], options: DtEditOptions): void {
  let tree = readTree(file)
  for (const overlay of overlays) tree = take(mergeOverlay(tree, readTree(overlay)), overlay)
  writeWhole(options.output ?? file, writeDevicetree(tree))
}

type Taken<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: { readonly message: string } }

function take<T>(result: Taken<T>, file: string): T {
  if (result.ok) return result.value
  throw new UserError({ what: `${file}: ${result.error.message}` })
}

function readTree(file: string): DeviceTree {
  return take(readDevicetree(readBytes(file)), file)
}

function readBytes(file: string): Buffer {
  try {
    return readFileSync(file)
  } catch (error) {
    throw new UserError({
      what: `${file} cannot be read`,
      why: error instanceof Error ? error.message : String(error),
      fix: 'check the path',
    })
  }
}

function nodeOf(tree: DeviceTree, reference: string, file: string): NodeRef {
  return take(findNode(tree, reference), file)
}

interface NodeData {
  readonly name: string
  readonly properties: Readonly<Record<string, string>>
  readonly children: readonly NodeData[]
}

function asData({ name, properties, children }: DeviceNode): NodeData {
  return {
    name,
    properties: Object.fromEntries(
      properties.map((entry) => [entry.name, Buffer.from(entry.value).toString('hex')]),
    ),
    children: children.map(asData),
  }
}
