import type { KmodStep } from './service.ts'
import { quoteAll } from './shell.ts'

/**
 * The shell library that loads and unloads the kernel modules of services (/usr/lib/firmwright/kmod.sh).
 *
 * The model: `kmod_state/MODULE` is a folder that exists for every module *we* loaded; in it lies one file for
 * every service that needs the module. A module that was there before us (the initramfs, a person) has no folder
 * and is never unloaded. A module of ours that nobody needs any more and that the kernel would not let go keeps
 * its empty folder: it is still ours, and the next service that needs it adopts it. One that has no exit function is
 * not asked to go.
 *
 * One lock covers all of it, since OpenRC starts services in parallel. /proc/modules is read once in each call:
 * `read` costs a system call a byte. Needs insmod, rmmod, mkdir, rmdir, rm, sleep; uses dmesg where there is one.
 * The caller provides einfo and eerror.
 */
export const kmodLibrary = `# Kernel modules of services. A service lists its modules in a function that calls its
# arguments with NAME PATH PARAMETER... for each, in load order; NAME? if it may fail, NAME! if it can never go.
kmod_state=/run/firmwright/kmod
kmod_proc=/proc/modules

# kmod_up SERVICE LIST: loads what is not loaded. If one does not load, none stays.
kmod_up() {
	kmod_lock || return 1
	kmod_service=$1 kmod_new= kmod_done= kmod_failed= kmod_forever=' '
	kmod_read
	$2 kmod_missing
	[ -z "$kmod_new" ] || mkdir -p $kmod_new
	$2 kmod_load
	if [ -n "$kmod_failed" ]; then
		kmod_release
		kmod_gone=
		for kmod_name in $kmod_new; do
			case $kmod_now in *" \${kmod_name##*/} "*) ;; *) kmod_gone="$kmod_gone $kmod_name" ;; esac
		done
		rmdir $kmod_gone 2>/dev/null
	fi
	kmod_unlock
	[ -z "$kmod_failed" ]
}

# kmod_down SERVICE LIST: unloads, in reverse, what this service loaded and no other needs.
kmod_down() {
	kmod_lock || return 1
	kmod_service=$1 kmod_done= kmod_forever=' '
	kmod_read
	$2 kmod_held
	kmod_release
	kmod_unlock
}

kmod_read() {
	kmod_now=' '
	while read -r kmod_name kmod_rest; do
		kmod_now="$kmod_now$kmod_name "
	done <"$kmod_proc"
}

kmod_missing() {
	case $kmod_now in *" \${1%%[?!]*} "*) ;; *) kmod_new="$kmod_new $kmod_state/\${1%%[?!]*}" ;; esac
}

kmod_held() {
	case $1 in *!) kmod_forever="$kmod_forever\${1%%[?!]*} " ;; esac
	[ ! -e "$kmod_state/\${1%%[?!]*}/$kmod_service" ] || kmod_done="\${1%%[?!]*} $kmod_done"
}

kmod_load() {
	[ -z "$kmod_failed" ] || return 0
	kmod_name=\${1%%[?!]*} kmod_step=$1 kmod_path=$2
	shift 2
	case $kmod_now in
	*" $kmod_name "*) [ -d "$kmod_state/$kmod_name" ] || return 0 ;;
	*)
		if ! kmod_said=$(insmod "$kmod_path" "$@" 2>&1); then
			case $kmod_step in *\\?*)
				rmdir "$kmod_state/$kmod_name" 2>/dev/null
				return 0
				;;
			esac
			kmod_failed=$kmod_name
			eerror "kernel module $kmod_name does not load: $kmod_said"
			# The kernel's complaint of its memory is about insmod.
			kmod_said=$(dmesg 2>/dev/null | grep -F -e "$kmod_name: " -e ': vmalloc error: ' | tail -n 1)
			[ -z "$kmod_said" ] || eerror "the kernel says: $kmod_said"
			return 0
		fi
		kmod_now="$kmod_now$kmod_name "
		;;
	esac
	: >"$kmod_state/$kmod_name/$kmod_service"
	case $kmod_step in *!) kmod_forever="$kmod_forever$kmod_name " ;; esac
	kmod_done="$kmod_name $kmod_done"
}

# Gives up the modules in kmod_done.
kmod_release() {
	kmod_files= kmod_gone=
	for kmod_name in $kmod_done; do
		kmod_files="$kmod_files $kmod_state/$kmod_name/$kmod_service"
	done
	[ -z "$kmod_files" ] || rm -f $kmod_files
	for kmod_name in $kmod_done; do
		for kmod_user in "$kmod_state/$kmod_name"/*; do
			[ ! -e "$kmod_user" ] || continue 2
		done
		case $kmod_now in *" $kmod_name "*)
			case $kmod_forever in *" $kmod_name "*)
				[ -e "$kmod_state/$kmod_name/.said" ] || einfo "kernel module $kmod_name stays loaded: it has no exit function"
				: >"$kmod_state/$kmod_name/.said"
				continue
				;;
			esac
			if ! kmod_said=$(rmmod "$kmod_name" 2>&1); then
				einfo "kernel module $kmod_name stays loaded: $kmod_said"
				continue
			fi
			;;
		esac
		kmod_gone="$kmod_gone $kmod_state/$kmod_name"
	done
	[ -z "$kmod_gone" ] || rmdir $kmod_gone
}

# A lock left behind by a process that was killed is taken over.
kmod_lock() {
	[ -d "$kmod_state" ] || mkdir -p "$kmod_state"
	kmod_tries=0
	until (set -C && echo $$ >"$kmod_state.lock") 2>/dev/null; do
		kmod_owner=
		read -r kmod_owner 2>/dev/null <"$kmod_state.lock"
		if [ -n "$kmod_owner" ] && ! kill -0 "$kmod_owner" 2>/dev/null; then
			rm -f "$kmod_state.lock"
			continue
		fi
		kmod_tries=$((kmod_tries + 1))
		if [ $kmod_tries -gt 300 ]; then
			eerror "process $kmod_owner has been busy with kernel modules for 30 s"
			return 1
		fi
		sleep 0.1
	done
}

kmod_unlock() {
	rm -f "$kmod_state.lock"
}
`

/** A module as the arguments of the library's functions. */
export function kmodWords({ name, path, parameters = [], optional, stays }: KmodStep): string {
  return quoteAll([`${name}${optional ? '?' : ''}${stays ? '!' : ''}`, path, ...parameters])
}
