"""What people ask the support bot on Tallyfern's help pages."""

from __future__ import annotations

from reporter.sources.demo.topics import Topic

_MINI = "gpt-5-mini"

TOPICS = (
    Topic(
        key="login", feature="support-bot", share=((-42, 0.07),), model=_MINI,
        tokens_in=2700, tokens_out=170, sigma=0.35, lookups=0, place=(1.3, -8.2), spread=(0.95, 0.4),
        titles=(
            "Login and two-factor trouble",
            "Locked out: passwords and two-factor codes",
            "Sign-in problems",
            "Cannot sign in: codes and password resets",
        ),
        answer_titles=("Sign-in help given", "Password and two-factor answers"),
        lines=(
            ("Users cannot sign in or never receive the code",
             "The sign-in code does not arrive or the password fails"),
            ("A new phone without the authenticator app is typical",
             "Typically a new phone without the old authenticator app"),
            ("Password resets and locked accounts", "Accounts locked after too many password attempts"),
            ("Ends in a recovery link or a hand-over to staff",
             "Closed with a recovery link or handed over to staff"),
        ),
        asks=(
            "my code never arrives", "new phone, authenticator is gone", "account locked after three tries",
            "reset link says expired",
        ),
        gists=("Recovery link sent", "Authenticator moved to new phone", "Account unlocked by staff"),
    ),
    Topic(
        key="plan", feature="support-bot", share=((-9, 0.115), (-5, 0.035)), model=_MINI,
        tokens_in=3150, tokens_out=220, sigma=0.38, lookups=0, place=(-2.4, -6.3), spread=(1.0, 0.4),
        titles=(
            "Subscription and plan changes",
            "Plan, price and cancellation questions",
            "Changing or cancelling a subscription",
            "What my plan costs and how to change it",
        ),
        answer_titles=("Plan and price answers", "Subscription changes explained"),
        lines=(
            ("Users ask about the price increase and what their plan includes",
             "What a plan includes and why its price went up"),
            ("Upgrades, downgrades and cancellations", "Wants to upgrade, downgrade or cancel"),
            ("Refunds for yearly plans are asked for", "Some ask for a refund of a yearly plan"),
            ("Seats for extra team members", "Adding seats for team members"),
            ("Receipts for the subscription itself", "Where to find the bill for the subscription"),
        ),
        asks=(
            "why is my plan 4 euro more now", "cancel at the end of the month",
            "how do I add a seat for my partner", "can I get the rest of the year back",
            "where is the bill for tallyfern itself",
        ),
        gists=("Price increase explained", "Cancellation at month end", "Seat added", "Refund declined"),
    ),
    Topic(
        key="export", feature="support-bot", share=((-42, 0.055),), model=_MINI,
        tokens_in=2900, tokens_out=230, sigma=0.4, lookups=0, place=(4.9, -10.4), spread=(0.8, 0.35),
        titles=(
            "Exporting data for the accountant",
            "Data export to accounting firms",
            "Sending bookings to the tax adviser",
        ),
        answer_titles=("Export steps explained", "Help with accountant exports"),
        lines=(
            ("Users need a file their accountant can read",
             "A file in the format the accountant reads is needed"),
            ("CSV columns and period selection", "Choosing the period and the CSV columns"),
            ("The accountant's own login is set up", "Setting up a guest login for the accountant"),
            ("Exports that stay empty because of a filter", "Empty exports, caused by a filter"),
        ),
        asks=(
            "export q1 for my accountant", "csv has no tax column", "invite my tax adviser as guest",
            "the export file is empty",
        ),
        gists=("Quarter exported as CSV", "Guest login for the accountant", "Empty export explained"),
    ),
    Topic(
        key="feeds", feature="support-bot", share=((-42, 0.06),), model=_MINI,
        tokens_in=3450, tokens_out=240, sigma=0.42, lookups=1, place=(-5.6, -9.3), spread=(0.9, 0.45),
        titles=(
            "Connecting bank feeds and web shops",
            "Bank feed and shop connections",
            "Broken or new account connections",
        ),
        answer_titles=("Connection steps for feeds", "Answers on bank feed connections"),
        lines=(
            ("A bank feed must be connected or renewed", "Renewing consent for a bank feed"),
            ("Web shop orders do not arrive", "Orders from a web shop are not synchronised"),
            ("Consent expires after some months and must be given again",
             "The consent had expired and has to be given again"),
            ("Card terminals and payment providers are linked",
             "Linking card terminals and payment providers"),
        ),
        asks=(
            "bank feed stopped on monday", "connect my web shop", "consent expired, what now",
            "link the card terminal",
        ),
        gists=("Bank consent renewed", "Web shop connected", "Feed outage explained"),
    ),
    Topic(
        key="odd-support", feature="support-bot", share=((-42, 0.02),), model=_MINI,
        tokens_in=2550, tokens_out=180, sigma=0.6, lookups=0, place=(0.0, -6.5), spread=(4.5, 3.5),
        titles=(), answer_titles=(), lines=(),
        asks=("are you a robot", "do you hire?", "dark mode when", "the fern in your logo is upside down"),
        gists=("Small talk", "Job enquiry", "Feature wish"),
    ),
)
