"""What comes through Tallyfern's document pipeline: photos and files turned into bookings."""

from __future__ import annotations

from reporter.sources.demo.topic import Topic

_FLASH = "gemini-2.5-flash"

TOPICS = (
    Topic(
        key="receipts",
        feature="doc-intake",
        share=((-42, 0.15),),
        model=_FLASH,
        tokens_in=6600,
        tokens_out=210,
        sigma=0.38,
        lookups=0,
        place=(7.2, 1.2),
        spread=(1.8, 0.55),
        titles=(
            "Receipt photos: totals and tax",
            "Reading receipts from photos",
            "Photographed receipts turned into bookings",
            "Extracting amounts from receipt photos",
        ),
        answer_titles=("Fields read from receipt photos", "Receipt totals extracted"),
        lines=(
            (
                "Photos of receipts are read for total, tax and shop",
                "Total, tax and merchant are read from photographed receipts",
            ),
            (
                "Fuel, meals and office supplies are most common",
                "Mostly fuel, restaurant and office-supply receipts",
            ),
            (
                "Blurred or crumpled photos need a second pass",
                "Crumpled or blurred photos are read a second time",
            ),
            (
                "The result is a booking proposal with a category",
                "Ends in a proposed booking with an expense category",
            ),
            (
                "Tips and split tax rates are a frequent source of doubt",
                "Doubt arises over tips and over two tax rates on one receipt",
            ),
        ),
        asks=("[receipt photo]", "[receipt photo, 2 pages]", "[fuel receipt photo]", "[restaurant receipt]"),
        gists=(
            "Fuel receipt booked",
            "Restaurant receipt with tip",
            "Office supplies, two tax rates",
            "Blurred photo read twice",
        ),
        halves=("Fuel and travel receipts", "Meals and office receipts"),
    ),
    Topic(
        key="supplier",
        feature="doc-intake",
        share=((-42, 0.11),),
        model=_FLASH,
        tokens_in=12400,
        tokens_out=480,
        sigma=0.5,
        lookups=0,
        place=(9.6, 5.0),
        spread=(1.3, 0.5),
        titles=(
            "Supplier invoices from PDF",
            "Reading supplier bills",
            "Incoming supplier invoices extracted",
            "Bills from suppliers: line items and due dates",
        ),
        answer_titles=("Supplier bill fields extracted", "Line items of supplier invoices"),
        lines=(
            (
                "PDF bills from suppliers are read line by line",
                "Line items are read from supplier invoices in PDF form",
            ),
            (
                "Due date, supplier account and tax id are captured",
                "Captures due date, tax id and bank account of the supplier",
            ),
            ("Multi-page bills cost more and take longer", "Longer, dearer runs for bills of many pages"),
            (
                "A check compares line items with the printed total",
                "Line items are checked against the total that is printed",
            ),
            ("Credit notes appear among the bills", "Credit notes are recognised too"),
        ),
        asks=("[supplier invoice pdf]", "[supplier invoice pdf, 6 pages]", "[credit note pdf]"),
        gists=("Six-page bill extracted", "Credit note recognised", "Supplier bill with tax id"),
    ),
    Topic(
        key="statements",
        feature="doc-intake",
        share=((-42, 0.125),),
        model="mistral-medium-3",
        tokens_in=16800,
        tokens_out=900,
        sigma=0.42,
        lookups=0,
        place=(5.9, -4.6),
        spread=(1.35, 0.5),
        titles=(
            "Bank statement imports",
            "Importing bank statements from PDF",
            "Bank statements read into transactions",
            "PDF bank statements parsed",
        ),
        answer_titles=("Transactions read from bank statements", "Bank statement pages parsed"),
        lines=(
            (
                "Whole bank statements are turned into a list of transactions",
                "Lists of transactions are made from PDF bank statements",
            ),
            (
                "Uploads come in batches, often a full quarter at once",
                "Often a full quarter of statements is uploaded in one batch",
            ),
            (
                "Opening and closing balance are checked against the sum",
                "The sum is checked against opening and closing balance",
            ),
            (
                "Scanned statements without text need the large model",
                "Scans without a text layer go to the large model",
            ),
            ("Foreign currency lines are converted", "Lines in foreign currency are converted"),
        ),
        asks=("[bank statement pdf]", "[bank statement scan, 4 pages]", "[quarter of statements]"),
        gists=("Quarter of statements imported", "Scanned statement parsed", "Balance check on a statement"),
    ),
    Topic(
        key="delivery",
        feature="doc-intake",
        share=((-42, 0.045),),
        model=_FLASH,
        tokens_in=7600,
        tokens_out=260,
        sigma=0.4,
        lookups=0,
        place=(11.6, -1.4),
        spread=(0.75, 0.4),
        titles=(
            "Delivery notes and purchase orders",
            "Matching delivery notes to orders",
            "Purchase orders and delivery slips",
        ),
        answer_titles=("Delivery notes compared with orders", "Purchase order fields"),
        lines=(
            (
                "Delivery notes are compared with the purchase order",
                "Compares a delivery note with its purchase order",
            ),
            ("Missing or surplus quantities are flagged", "Flags quantities that are missing or surplus"),
            ("Handwritten notes on slips are hard to read", "Handwriting on the slip is often misread"),
            ("Mostly wholesale and building trade", "Users are mainly in wholesale and the building trade"),
        ),
        asks=("[delivery note scan]", "[purchase order pdf]"),
        gists=("Delivery note short by two boxes", "Purchase order captured"),
    ),
    Topic(
        key="odd-intake",
        feature="doc-intake",
        share=((-42, 0.02),),
        model=_FLASH,
        tokens_in=9600,
        tokens_out=300,
        sigma=0.7,
        lookups=0,
        place=(8.0, 0.5),
        spread=(4.5, 4.5),
        titles=(),
        answer_titles=(),
        lines=(),
        asks=("[photo of a whiteboard]", "[empty page]", "[insurance policy pdf]", "[holiday picture]"),
        gists=("Not a bookkeeping document", "Empty scan", "Insurance contract page"),
    ),
)
