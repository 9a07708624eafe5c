# Connects sockets for which the kernel keeps little, and becomes the program that uses them: Node can do neither.
#
#   perl narrow-sockets.pl <port> <count> <program> [arguments]
#
# With its usual segments of 64 kB, the kernel takes 4 MB for each connection over loopback before the sender has to
# wait; with an Ethernet's it takes 400 kB. The program finds the descriptors of the connected sockets in
# NARROW_SOCKETS, with commas between them.
use strict;
use warnings;
use Socket qw(:DEFAULT IPPROTO_TCP);

use constant TCP_MAXSEG => 2;             # the same on Linux and the BSDs; perl does not export it everywhere
use constant SEGMENT_BYTES => 1448;

my ($port, $count, @command) = @ARGV;
$^F = 65_535;                             # descriptors up to this one stay open when the program begins
my @sockets;
for (1 .. $count) {
  socket(my $socket, PF_INET, SOCK_STREAM, IPPROTO_TCP) or die "socket: $!";
  setsockopt($socket, IPPROTO_TCP, TCP_MAXSEG, pack("i", SEGMENT_BYTES)) or die "TCP_MAXSEG: $!";
  connect($socket, pack_sockaddr_in($port, INADDR_LOOPBACK)) or die "connect: $!";
  push @sockets, $socket;
}
$ENV{NARROW_SOCKETS} = join ",", map { fileno $_ } @sockets;
exec(@command) or die "exec: $!";
