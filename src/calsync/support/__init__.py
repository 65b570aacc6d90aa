"""What support sees and where it works: the whole report, the review queue, one appointment's story, accounts.

Above `answers`, which carries out what a person decides; below the faces, which only show it.
"""
