import { imageTimeSeconds } from '../filetree/index.ts'
import type { ServiceGraph } from './graph.ts'
import { logPipe } from './paths.ts'
import { quote } from './shell.ts'

/*
 * OpenRC is C programs that call four shell scripts. The scripts are made for any Unix and any init script, and on
 * a small processor most of the boot goes into the dozens of programs that they start for every service. Ours know
 * the one target they are for. They keep to the same interfaces, and take the places of OpenRC's own.
 */

/** init.sh: what `openrc sysinit` runs before anything else. Mounts what is not there yet. */
export function initShell(graph: ServiceGraph): string {
  const pipes = graph.order
    .filter(({ service }) => service.kind === 'longrun' && service.output !== 'discard')
    .map(({ service }) => logPipe(service.name))
  return `#!/bin/sh
# Runs first, once: file systems that live in memory, and what services expect to find in them.
[ -e /proc/self ] || mount -t proc -o nosuid,nodev,noexec proc /proc
[ -e /sys/kernel ] || mount -t sysfs -o nosuid,nodev,noexec sysfs /sys
[ -e /dev/null ] || mount -t devtmpfs -o mode=0755,nosuid devtmpfs /dev
mkdir -p /dev/pts /dev/shm
mount -a
# Without a clock that is kept it is 1970: OpenRC would take every file to be newer than what it made of them, again and again.
[ "$(date +%s)" -ge ${imageTimeSeconds} ] || date -s @${imageTimeSeconds} >/dev/null
mkdir -p /run/openrc /run/lock /run/firmwright/log /run/firmwright/kmod \\
	/var/cache /var/lib /var/log /var/spool /var/tmp
chmod 1777 /var/tmp
ln -s /run /run/lock /var
${pipes.length > 0 ? `mkfifo -m 600 ${pipes.join(' ')}\n` : ''}echo sysinit >/run/openrc/softlevel
`
}

/** /etc/fstab: the file systems in memory, mounted by init.sh in one go. */
export function fileSystemTable(sizes: {
  readonly runPercent: number
  readonly tmpPercent: number
  readonly varPercent: number
}): string {
  return `tmpfs /run tmpfs mode=0755,nosuid,nodev,size=${sizes.runPercent}% 0 0
tmpfs /tmp tmpfs mode=1777,nosuid,nodev,size=${sizes.tmpPercent}% 0 0
tmpfs /var tmpfs mode=0755,nosuid,nodev,size=${sizes.varPercent}% 0 0
tmpfs /dev/shm tmpfs mode=1777,nosuid,nodev,noexec,size=${sizes.tmpPercent}% 0 0
devpts /dev/pts devpts mode=0620,gid=5,ptmxmode=0666,nosuid,noexec 0 0
`
}

/**
 * gendepends.sh: prints the dependencies of every service. OpenRC's reads every init script to find them; here
 * they are known since the build. One line for a service, one more for each kind of dependency.
 */
export function dependencyShell(graph: ServiceGraph): string {
  const lines = graph.order.flatMap(({ service: { name }, requires, after }) => [
    name,
    ...(requires.length > 0 ? [`${name} ineed ${requires.join(' ')}`] : []),
    ...(after.length > 0 ? [`${name} iafter ${after.join(' ')}`] : []),
  ])
  return `#!/bin/sh\necho ${quote(lines.join('\n'))}\n`
}

/** openrc-run.sh: does one command of one service; openrc-run has seen to dependencies and state before. */
export const runnerShell = `#!/bin/sh
# usage: openrc-run.sh SCRIPT COMMAND...

# On a terminal, openrc-run copies what it reads from here a character at a time, and loses one whenever a signal
# comes in between. Write to its terminal directly.
[ ! -c /proc/$PPID/fd/1 ] || exec >/proc/$PPID/fd/1 2>&1

einfo() { echo " * $*"; }
ewarn() { echo " * WARNING: $*" >&2; }
eerror() { echo " * ERROR: $*" >&2; }
ebegin() { einfo "$*"; }
eend() {
	status=$1
	shift
	[ "$status" = 0 ] || [ $# = 0 ] || eerror "$*"
	return "$status"
}
describe() { einfo "$description"; }
status() {
	for state in stopping:4 starting:8 inactive:16 failed:32 started:0; do
		[ -e "/run/openrc/\${state%:*}/$RC_SVCNAME" ] || continue
		einfo "status: \${state%:*}"
		return "\${state#*:}"
	done
	einfo "status: stopped"
	return 3
}

. "$1"
shift
for action; do
	case $action in
	start | stop | status | describe) ;;
	*)
		eerror "$RC_SVCNAME: unknown command $action"
		exit 1
		;;
	esac
	# Not in a condition, which would disable the "set -e" of the service's steps.
	"$action"
	status=$?
	[ $status = 0 ] || exit $status
done
exit 0
`

/** service.sh: start and stop, in terms of what an init script declares. */
export const serviceShell = `# What starting and stopping a service means. The service's own script, which reads this
# one first, defines those of these functions that it needs.
kmod_up() { :; }
kmod_down() { :; }
up() { :; }
down() { :; }
undo() { :; }

start() {
	kmod_up "$RC_SVCNAME" kmods || return
	up
	up_status=$?
	if [ $up_status != 0 ]; then
		undo
		kmod_down "$RC_SVCNAME" kmods
		return $up_status
	fi
	einfo "$RC_SVCNAME: $description"
}

stop() {
	down
	down_status=$?
	kmod_down "$RC_SVCNAME" kmods
	[ $down_status != 0 ] || einfo "$RC_SVCNAME: stopped"
	return $down_status
}

# supervise NAME DELAY MAX PERIOD PROGRAM
supervise() {
	supervise-daemon "$1" --start --respawn-delay "$2" --respawn-max "$3" --respawn-period "$4" \\
		--stdout /dev/null --stderr /dev/null "$5"
}

# ready SECONDS COMMAND...: waits until the command succeeds
ready() {
	tries=$(($1 * 10)) seconds=$1
	shift
	until ("$@") >/dev/null 2>&1; do
		tries=$((tries - 1))
		if [ $tries -le 0 ]; then
			eerror "$RC_SVCNAME was not ready within $seconds s"
			return 1
		fi
		sleep 0.1
	done
}
`

/** The last line of a boot on the console, and the services that did not make it. */
export const upShell = `#!/bin/sh
read -r seconds idle </proc/uptime
down=
for service in /etc/runlevels/sysinit/* /etc/runlevels/boot/* /etc/runlevels/default/*; do
	service=\${service##*/}
	[ "$service" = '*' ] || [ -e "/run/openrc/started/$service" ] || down="$down $service"
done
echo "firmwright: up in $seconds s\${down:+, not started:$down}"
`
