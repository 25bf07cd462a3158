import { describe, expect, it } from 'vitest'
import { explain } from './explain.ts'
import { configured, treeOf } from './test-tree.ts'

const tree = treeOf(`config MODULES
	bool "modules"
	modules
config TEE
	tristate "tee"
config KEYS
	tristate "keys"
config TEE_KEYS
	bool "keys in the tee"
	depends on KEYS && TEE >= KEYS
config FILTER
	bool "filter"
config ANALOG
	bool
	prompt "analog" if FILTER
	default y if !FILTER
	depends on KEYS
config DEVICE
	bool "device if on another machine" if ELSEWHERE
	default y if KEYS
config BUS
	bool "bus"
config CODEC
	tristate
	depends on BUS
config ALL_CODECS
	tristate "all codecs"
	imply CODEC
config BOARD
	bool "board"
	select LIBRARY
config DRIVER
	tristate "driver"
	select LIBRARY
config LIBRARY
	tristate
config DERIVED
	def_bool BUS && TEE
`)

/** What is said of a value that the user gave and that did not hold. */
function told(config: string, name: string) {
  const result = explain(configured(tree, config), name)
  if (!result.ok) throw new Error(result.error.message)
  const texts = (list: readonly { readonly text: string }[]) => list.map(({ text }) => text)
  return { blocking: texts(result.value.blocking), keeping: texts(result.value.keeping) }
}

describe('what blocks a value', () => {
  it('is told beside what holds now and has to go on holding', () => {
    expect(told('CONFIG_TEE_KEYS=y\n', 'TEE_KEYS')).toEqual({
      blocking: ['KEYS [=n]'],
      keeping: ['TEE [=n]>=KEYS [=n]'],
    })
  })
  it('is no more than the shorter of two ways takes', () => {
    expect(told('CONFIG_ANALOG=y\n', 'ANALOG').blocking).toEqual(['KEYS [=n]'])
    expect(told('CONFIG_FILTER=y\nCONFIG_ANALOG=y\n', 'ANALOG').blocking).toEqual(['KEYS [=n]'])
  })
  it('is not a symbol that nothing defines where there is another way', () => {
    expect(told('CONFIG_DEVICE=y\n', 'DEVICE').blocking).toEqual(['KEYS [=n]'])
  })
  it('takes the dependencies in where a symbol is implied', () => {
    expect(told('CONFIG_MODULES=y\nCONFIG_CODEC=m\n', 'CODEC').blocking).toEqual([
      'ALL_CODECS [=n]',
      'BUS [=n]',
    ])
  })
  it('is told for every part of the only default', () => {
    expect(told('CONFIG_DERIVED=y\n', 'DERIVED').blocking).toEqual(['BUS [=n]', 'TEE [=n]'])
  })
  it('asks for what selects it at m, where m is wanted, and for nothing that does so at y', () => {
    expect(told('CONFIG_MODULES=y\nCONFIG_LIBRARY=m\n', 'LIBRARY')).toEqual({
      blocking: ['none of: BOARD [=n], DRIVER [=n]'],
      keeping: ['MODULES [=y]: without modules there is no m', 'nothing selects it at y'],
    })
    const onBoard = 'CONFIG_MODULES=y\nCONFIG_DRIVER=m\nCONFIG_BOARD=y\nCONFIG_LIBRARY=m\n'
    expect(told(onBoard, 'LIBRARY').blocking).toEqual(['BOARD [=y] selects it'])
  })
})
