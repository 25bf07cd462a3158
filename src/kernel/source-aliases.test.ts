import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { linuxSource, unpackedPackage } from '../../test/material.ts'
import { kmodName, openKmodFolder } from '../kmod/index.ts'
import { aliasLines, ownName, readSourceAliases } from './source-aliases.ts'

describe('aliases in the source of a kernel', () => {
  it('are those by which it will ask for modules', () => {
    const text = [
      './net/netfilter/nf_conntrack_ftp.c:#define HELPER_NAME "ftp"',
      './net/netfilter/nf_conntrack_ftp.c:MODULE_ALIAS("ip_conntrack_ftp");',
      './net/netfilter/nf_conntrack_ftp.c:MODULE_ALIAS_NFCT_HELPER(HELPER_NAME);',
      './net/netfilter/nft_reject_inet.c:MODULE_ALIAS_NFT_AF_EXPR(1, "reject");',
      './net/netfilter/nf_log_syslog.c:MODULE_ALIAS_NF_LOGGER(5, 0); /* NFPROTO_NETDEV */',
      './fs/ext4/super.c:MODULE_ALIAS_FS("ext4");',
      './net/sched/sch_cake.c:MODULE_ALIAS_NET_SCH("cake");',
      './drivers/net/vxlan.c:MODULE_ALIAS_RTNL_LINK("vxlan");',
      './net/xfrm/xfrm_user.c:MODULE_ALIAS_NET_PF_PROTO(PF_NETLINK, NETLINK_XFRM);',
      './drivers/x.c:MODULE_ALIAS_SOMETHING_ELSE(y);',
      'not such a line',
    ]
    expect([...readSourceAliases(text.join('\n'))]).toEqual([
      ['ip_conntrack_ftp', ['net/netfilter/nf_conntrack_ftp.o']],
      ['nfct-helper-ftp', ['net/netfilter/nf_conntrack_ftp.o']],
      ['nft-expr-1-reject', ['net/netfilter/nft_reject_inet.o']],
      ['nf-logger-5-0', ['net/netfilter/nf_log_syslog.o']],
      ['fs-ext4', ['fs/ext4/super.o']],
      ['net-sch-cake', ['net/sched/sch_cake.o']],
      ['rtnl-link-vxlan', ['drivers/net/vxlan.o']],
      ['net-pf-16-proto-6', ['net/xfrm/xfrm_user.o']],
    ])
  })

  it("are all those of the netfilter and file system modules of Debian's kernel", async () => {
    const tree = await linuxSource('6.1')
    const grep = ['-rHE', '--include=*.c', aliasLines, './net', './fs']
    const aliases = readSourceAliases(
      execFileSync('grep', grep, { cwd: tree, encoding: 'latin1', maxBuffer: 1 << 26 }),
    )
    const image = await unpackedPackage({
      release: 'bookworm',
      architecture: 'arm64',
      package: 'linux-image-arm64',
    })
    const [release = ''] = execFileSync('ls', [join(image, 'lib/modules')], { encoding: 'utf8' }).split('\n')
    const opened = await openKmodFolder(join(image, 'lib/modules', release))
    if (!opened.ok) throw new Error(opened.error.message)
    const order = readFileSync(join(image, 'lib/modules', release, 'modules.order'), 'utf8').split('\n')
    const unknown: string[] = []
    let looked = 0
    for (const path of order.filter((each) => /^kernel\/(net|fs)\//.test(each))) {
      const kmod = await opened.value.load(kmodName(path))
      if (!kmod.ok) throw new Error(kmod.error.message)
      for (const alias of kmod.value.aliases.filter((each) =>
        /^(nft-|nf-|nfct-helper-|nfnetlink-subsys-|fs-)/.test(each),
      )) {
        looked += 1
        const { name = '' } = kmod.value
        if (!aliases.has(alias) && !aliases.has(alias.replace(name, ownName)))
          unknown.push(`${name}: ${alias}`)
      }
    }
    expect(unknown).toEqual([])
    expect(looked).toBeGreaterThan(100)
  }, 600_000)
})
