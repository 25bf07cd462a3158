import { describe, expect, it } from 'vitest'
import { requestedModules } from '../src/features/kernel-requests.ts'
import { lookUp, openKmodFolder } from '../src/kmod/index.ts'
import { modulesFolder } from '../verify/kmod/kernels.ts'

/** Every name under which some request is looked up. */
const names = (requests: Parameters<typeof requestedModules>[0]): readonly string[] =>
  requestedModules(requests).flatMap((target) => (typeof target === 'string' ? [target] : target.anyOf))

describe('what programs will have the kernel ask for', () => {
  it('is asked for by the names that the kernel uses', () => {
    expect(names({ qdiscs: ['cake', 'pfifo'] })).toEqual(['net-sch-cake', 'sch_cake'])
    expect(names({ sockets: ['can', 99], netlink: ['xfrm'] })).toEqual([
      'net-pf-29',
      'net-pf-99',
      'net-pf-16-proto-6',
    ])
    expect(names({ canProtocols: ['isotp'], algSockets: ['hash'] })).toEqual(['can-proto-6', 'algif-hash'])
    expect(names({ genericNetlink: ['macsec'], links: ['vxlan'] })).toEqual([
      'rtnl-link-vxlan',
      'vxlan',
      'net-pf-16-proto-16-family-macsec',
      'macsec',
    ])
  })

  it('is for an algorithm its whole and its parts, each once', () => {
    expect(names({ crypto: ['authenc(hmac(sha256),xts(aes))', 'sha256'] })).toEqual([
      'crypto-authenc(hmac(sha256),xts(aes))',
      'crypto-authenc(hmac(sha256),xts(aes))-all',
      'crypto-authenc',
      'authenc',
      'crypto-hmac(sha256)',
      'crypto-hmac(sha256)-all',
      'crypto-hmac',
      'hmac',
      'crypto-sha256',
      'sha256',
      'crypto-sha256-all',
      'crypto-xts(aes)',
      'crypto-xts(aes)-all',
      'crypto-xts',
      'xts',
      'crypto-aes',
      'aes',
      'crypto-aes-all',
      'crypto-ecb',
      'ecb',
      'crypto-ecb-all',
    ])
  })

  it('is there in Debian’s kernel', async () => {
    const folder = await modulesFolder({
      release: 'bookworm',
      architecture: 'arm64',
      package: 'linux-image-arm64',
    })
    const source = openKmodFolder(folder)
    if (!source.ok) throw new Error(source.error.message)
    const modules = new Set<string>()
    const missing: string[] = []
    for (const target of requestedModules({
      qdiscs: ['cake', 'htb', 'clsact', 'fq_codel'],
      classifiers: ['flower', 'u32'],
      actions: ['police', 'mirred'],
      congestionControls: ['bbr'],
      links: ['vxlan', 'wireguard', 'bridge', 'vlan'],
      sockets: ['can', 'alg', 'packet'],
      netlink: ['xfrm', 'netfilter'],
      genericNetlink: ['macsec'],
      crypto: ['gcm(aes)', 'xts(aes)', 'sha512', 'rfc7539(chacha20,poly1305)'],
    })) {
      if (typeof target === 'string') throw new Error(`${target} says not what it is for`)
      const found = await Promise.all(target.anyOf.map((name) => lookUp(source.value, name)))
      const all = found.flatMap((each) => (each.ok ? each.value : []))
      if (all.length === 0 && target.optional !== true) missing.push(target.what)
      for (const name of all) modules.add(name)
    }
    expect(missing).toEqual([])
    const wanted = [
      'sch_cake',
      'sch_ingress',
      'cls_flower',
      'act_mirred',
      'tcp_bbr',
      '8021q',
      'can',
      'af_alg',
    ]
    const ciphers = ['xfrm_user', 'gcm', 'ctr', 'ghash_generic', 'xts', 'ecb', 'aes_ce_blk', 'sha512_arm64']
    expect([...wanted, ...ciphers].filter((name) => !modules.has(name))).toEqual([])
  })
})
