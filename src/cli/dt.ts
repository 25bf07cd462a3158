import { Command } from 'commander'

export interface DtEditOptions {
  readonly output?: string
}

/** `firmwright dt …`: device trees, looked at and edited. */
export function dtCommand(): Command {
  const command = new Command('dt').description('Looks at and edits flattened device trees (.dtb).')
  const node = 'a path (/soc/serial@1000), an alias (serial0) or a label (&uart1)'
  command
    .command('print')
    .description('Prints a tree, or one node of it, as source.')
    .argument('<FILE>', 'a .dtb')
    .argument('[NODE]', node, '/')
    .option('--json', 'as JSON: nodes with their properties, bytes in hexadecimal')
    .addHelpText('after', '\nExample:\n  firmwright dt print board.dtb /reserved-memory')
    .action(async (file: string, reference: string, options: { readonly json?: boolean }) => {
      const { printTree } = await import('./dt-commands.ts')
      printTree(file, reference, options.json === true)
    })
  command
    .command('get')
    .description('Prints the value of a property, or the names of all properties and children of a node.')
    .argument('<FILE>', 'a .dtb')
    .argument('<NODE>', node)
    .argument('[PROPERTY]')
    .option('--json', 'as JSON: bytes, and what they are as cells and as strings')
    .addHelpText('after', '\nExample:\n  firmwright dt get board.dtb serial0 compatible')
    .action(
      async (
        file: string,
        reference: string,
        property: string | undefined,
        options: { readonly json?: boolean },
      ) => {
        const { getProperty } = await import('./dt-commands.ts')
        getProperty(file, reference, property, options.json === true)
      },
    )
  command
    .command('set')
    .description(
      'Gives a property a value, in source form; without one it is just there. Nodes are made as needed.',
    )
    .argument('<FILE>', 'a .dtb; it is changed in place unless -o is given')
    .argument('<NODE>', node)
    .argument('<PROPERTY>')
    .argument('[VALUE]', '<1 0x20>, "text", [00 ff], or a row of these with commas', '')
    .option('--delete', 'deletes the property instead')
    .option('-o, --output <FILE>', 'where to write the tree')
    .addHelpText(
      'after',
      `\nExample:\n  firmwright dt set board.dtb /chosen bootargs '"console=ttyS0"' -o new.dtb`,
    )
    .action(
      async (
        file: string,
        reference: string,
        property: string,
        value: string,
        options: DtEditOptions & { readonly delete?: boolean },
      ) => {
        const { setProperty } = await import('./dt-commands.ts')
        setProperty(file, reference, property, options.delete ? undefined : value, options)
      },
    )
  command
    .command('apply')
    .description('Lays overlays (.dtbo) over a tree, in order.')
    .argument('<FILE>', 'a .dtb; it is changed in place unless -o is given')
    .argument('<OVERLAY...>', 'each a .dtbo')
    .option('-o, --output <FILE>', 'where to write the tree')
    .addHelpText('after', '\nExample:\n  firmwright dt apply board.dtb spi.dtbo -o new.dtb')
    .action(async (file: string, overlays: string[], options: DtEditOptions) => {
      const { applyOverlays } = await import('./dt-commands.ts')
      applyOverlays(file, overlays, options)
    })
  return command
}
