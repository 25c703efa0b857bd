# What Mail::DeliveryStatus::BounceParser finds in a notification on standard input, as JSON.
use strict;
use warnings;
use JSON::PP;
use Mail::DeliveryStatus::BounceParser;

local $/;
my $bounce = Mail::DeliveryStatus::BounceParser->new(<STDIN>);
# It keeps line ends.
my $message_id = ($bounce->orig_message_id // '') =~ s/\s+$//r;
my @reports = map {
  my $report = $_;
  +{ map { my $value = $report->get($_) // ''; $value =~ s/\s+$//; ($_ => $value) } qw(email std_reason smtp_code action status) };
} $bounce->reports;
print encode_json({ isBounce => $bounce->is_bounce ? 1 : 0, messageId => $message_id, reports => \@reports });
