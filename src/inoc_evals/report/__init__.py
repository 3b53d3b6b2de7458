"""Reporting: scored answers become rates with intervals, files, a figure and a page.

    found = cells(observations)                      # cells.py: a rate for each cell
    compared = contrasts(observations, [("spanish_inoc", "none")])
    write_results(directory, found, compared)        # results.py: results.json and CSV
    draw(found, directory / "fig2a.png", spec)       # figure.py
    write_details(directory, details(observations))  # details.py: questions.csv
    leaks(observations, spec)                        # leaks.py: less what the base has itself
    in_words(found, compared, spec).result           # in_words.py: the first sentences
    write_page(directory, report)                    # page.py: report.html
    console.print(table(found))                      # table.py
    write_overview(directory, lines)                 # overview.py: of several experiments
    write_by_hand(directory)                         # by_hand_report.py: logs without an experiment
    read_second(directory, planned, grader)          # judges.py: another judge of the answers

`statistics/crossed.py` holds the intervals; it is pure, and `docs/design/intervals.md` says why
they are as they are. Reading logs is not done here: this room starts from observations.
"""
