/** What somebody who logs in expects to find, to look around and to mend things. Each is a link to busybox. */
export const shellApplets: readonly string[] =
  `ash awk basename cat chmod chown clear cp cut date dd df dirname dmesg du
  echo env false find free grep gunzip gzip head hexdump hostname id ifconfig ip kill killall less ln logger logread ls
  lsmod md5sum mkdir more mount mv nc netstat nslookup pidof ping printf ps pwd readlink rm rmdir route sed sha256sum
  sleep sort stat stty sync tail tar tee time top touch tr traceroute true udhcpc umount uname uniq uptime vi watch wc
  wget which xargs`.split(/\s+/)
