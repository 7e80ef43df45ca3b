"""What was said and how it is written, a line a case."""

TIMES = """
wake me at seven thirty p m | wake me at 7:30 PM
ten a m | 10 AM
seven am tomorrow | 7 AM tomorrow
twelve fifteen p m | 12:15 PM
seven oh five pm | 7:05 PM
at seven oh five | at 7:05
seven zero zero pm | 7:00 PM
half past seven | 7:30
half past eleven in the morning | 11:30 in the morning
quarter past six | 6:15
a quarter past nine | 9:15
quarter to nine | 8:45
a quarter to nine a m | 8:45 AM
quarter to one pm | 12:45 PM
ten past three | 3:10
ten minutes past three | 3:10
at ten to five | at 4:50
it's five to ten | it's 9:55
at twenty five to nine | at 8:35
seven o'clock | 7 o'clock
ten o'clock p m | 10 o'clock PM
six to seven o'clock | 6 to 7 o'clock
nine a m to five p m | 9 AM to 5 PM
from nine to five pm | from 9 to 5 PM
between nine and five p m | between 9 and 5 PM
from three fifteen until three thirty | from 3:15 until 3:30
between nine thirty and ten thirty | between 9:30 and 10:30
at nineteen forty five | at 19:45
six thirty tomorrow | 6:30 tomorrow
two thirty in the morning | 2:30 in the morning
set an alarm for six fifteen | set an alarm for 6:15
it is ten thirty | it is 10:30
"""
DATES = """
may second | May 2nd
on may second | on May 2nd
on may five | on May 5
may third | May 3rd
december twenty fifth | December 25th
december twenty fifth two thousand and twenty | December 25th 2020
june sixth nineteen seventy one | June 6th 1971
june twenty first through the twenty third | June 21st through the 23rd
twenty first of may | 21st of May
the third of april nineteen eighty four | the 3rd of April 1984
november the fifth | November the 5th
monday the third | Monday the 3rd
fourth october | 4th October
seven march twenty nineteen | 7 March 2019
december nineteen ninety nine | December 1999
on the twenty second | on the 22nd
in nineteen ninety nine | in 1999
in twenty twenty six | in 2026
in nineteen oh five | in 1905
the year two thousand | the year 2000
between nineteen fourteen and nineteen eighteen | between 1914 and 1918
the nineteen eighties | the 1980s
wednesday in march | Wednesday in March
"""
MONEY = """
five dollars | $5
one dollar | $1
five dollars and twenty cents | $5.20
one dollar and fifty cents | $1.50
five dollars fifty | $5.50
three pounds fifty pence | £3.50
fifteen point six one dollars | $15.61
two point five million dollars | $2.5 million
a hundred dollars | $100
twenty thousand dollars | $20,000
six euros | €6
ten pounds sterling | £10
ten pounds | 10 pounds
fifty cents | 50 cents
"""
MEASURED = """
fifty percent | 50%
five per cent | 5%
one point five percent | 1.5%
two to three percent | 2 to 3%
twenty one point five degrees | 21.5 degrees
minus ten degrees | -10 degrees
minus five point five degrees celsius | -5.5 °C
seventy two degrees fahrenheit | 72 °F
twenty celsius | 20 °C
five minutes | 5 minutes
for four minutes | for 4 minutes
for one minute | for 1 minute
one hour and thirty minutes | 1 hour and 30 minutes
two minutes and thirty seconds | 2 minutes and 30 seconds
two and a half hours | 2½ hours
set a ten minute timer | set a 10 minute timer
a ten second timer | a 10 second timer
fifty five miles per hour | 55 miles per hour
two litres of milk | 2 litres of milk
five kilos | 5 kilos
"""
NUMBERS = """
ten | 10
thirty five | 35
a hundred and five | 105
one hundred and five | 105
two hundred fifty | 250
twelve hundred | 1200
five thousand and six | 5006
one thousand two hundred thirty four | 1234
twelve thousand three hundred forty five | 12,345
seven hundred and fifty thousand | 750,000
three million | 3 million
two point five million | 2.5 million
three hundred and four hundred | 300 and 400
ten or twenty | 10 or 20
two to eleven | 2 to 11
five out of ten | 5 out of 10
twenty one point five | 21.5
zero point two five | 0.25
one oh seven point five | 107.5
version two point zero point one | version 2.0.1
negative five | -5
two and a half | 2½
three plus five | 3 + 5
twelve divided by four | 12 ÷ 4
the tenth | the 10th
twenty third street | 23rd street
one hundred and fifth | 105th
"""
STRINGS = """
call five five five one two three four | call 5551234
my number is four one two two six eight seven one | my number is 41226871
one eight hundred five five five one two one two | 18005551212
call nine one one | call 911
double seven oh | 770
triple seven | 777
my pin is oh nine four two | my pin is 0942
call one two three | call 123
room four twenty | room 420
extension four twenty | extension 420
route sixty six | route 66
set the volume to seven | set the volume to 7
channel five | channel 5
c n n | CNN
erase c v r four five five | erase C V R 455
i'm here and i wait | I'm here and I wait
"""
# What might be meant otherwise stays, or is settled by what stands beside it.
AMBIGUOUS = """
one of them | one of them
no one knows | no one knows
room one of them | room one of them
the first | the first
wait a second | wait a second
one second | one second
the two of us | the two of us
five star hotel | five star hotel
two thirty | two thirty
at two thirty | at 2:30
channel two thirty | channel 230
oh five | oh five
seven oh five | 705
nineteen ninety nine | nineteen ninety nine
twenty twenty vision | twenty twenty vision
twenty second | twenty second
ten to five | 10 to 5
from nine to five | from nine to five
five to ten people | 5 to 10 people
the next quarter to eight | the next quarter to eight
four or five hundred | four or five hundred
a hundred | a hundred
one two three four | one two three four
may i go | may I go
it may first rain | it may first rain
troops march two by two | troops march two by two
in march two people came | in March two people came
i am here | I am here
ten am i late | 10 am I late
i waited for you to win | I waited for you to win
for to too two ate won | for to too two ate won
point five | point five
half an hour | half an hour
two thirds | two thirds
nine eleven | nine eleven
the twenty one fifty | the twenty one fifty
"""
KINDS = (TIMES, DATES, MONEY, MEASURED, NUMBERS, STRINGS, AMBIGUOUS)
CASES = [tuple(line.split(" | ")) for kind in KINDS for line in kind.strip().splitlines()]
