# Where the API server's relay listens: a network namespace of its own, so that no port of any node is taken.
#
# $1 its address, $2 the first two numbers of all addresses. It says on its output how far it has come.
set -eu
address=$1 net=$2
echo prepared
# The network card is put in from outside.
read -r _
ip link set lo up
ip link set eth0 up
ip address add "$address/24" dev eth0
ip address add 10.96.0.1/32 dev lo
node=1
while [ "$node" -le 40 ]; do
    ip route add "$net.$node.0/24" via "$net.0.$((node + 10))"
    node=$((node + 1))
done
echo started
# Until its input ends.
exec cat >/dev/null
