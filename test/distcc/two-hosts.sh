# Runs a command in a network of its own, with two machines in it, 198.51.100.2 and 198.51.100.6, that compile (RFC 5737).
# two-hosts.sh FOLDER COMMAND…: the machines write FOLDER/1.log and FOLDER/2.log; with FOLDER/mortal the second one dies
# when it has compiled that many files.
set -eu
folder=$1
shift
ip link set lo up
pids=
for number in 1 2; do
  here=198.51.100.$((number * 4 - 3)) there=198.51.100.$((number * 4 - 2))
  # As a user of no name: distccd refuses to be root.
  unshare --net unshare --map-user=1000 --map-group=1000 \
    distccd --daemon --no-detach --listen 0.0.0.0 --allow 198.51.100.0/24 --jobs 4 --log-file "$folder/$number.log" > /dev/null 2>&1 &
  pid=$!
  pids="$pids $pid"
  until [ "$(readlink /proc/$pid/ns/net)" != "$(readlink /proc/self/ns/net)" ]; do sleep 0.05; done
  ip link add "to$number" type veth peer name eth0 netns $pid
  ip addr add $here/30 dev "to$number"
  ip link set "to$number" up
  nsenter --target $pid --net sh -c "ip addr add $there/30 dev eth0 && ip link set eth0 up"
done
if [ -e "$folder/mortal" ]; then
  (
    until [ "$(grep -c COMPILE_OK "$folder/2.log" 2> /dev/null)" -ge "$(cat "$folder/mortal")" ] 2> /dev/null; do sleep 0.05; done
    # With those that it has started beforehand.
    nsenter --target ${pids##* } --net sh -c 'ip link delete eth0'
    kill ${pids##* }
  ) &
  pids="$pids $!"
fi
"$@"
